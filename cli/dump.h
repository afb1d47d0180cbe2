// Intermediate values of all positions, as one .npz file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reference_cpu/scaled/scaled_engine.h"

namespace bitgrid::cli {

/// Collects what a trace is told. Call `next` behind each position.
class Dump {
 public:
  cpu::ScaledTrace trace();
  void next() { ++positions_; }
  /// Arrays of int64, [positions, ...]. Scores and weights of attention, which grow with the position, are [positions, positions]: behind
  /// the last position stand -2^20 and 0. Throws Error if the file cannot be written.
  void write(const std::string& path) const;

 private:
  size_t positions_ = 0;
  std::vector<std::string> order_;
  std::map<std::string, std::vector<std::vector<int64_t>>> values_;
};

}  // namespace bitgrid::cli
