// Intermediate values of all positions, as one .npz file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/output_file.h"
#include "reference_cpu/scaled/scaled_engine.h"

namespace bitgrid::cli {

/// Collects what a trace reports.
class Dump {
 public:
  /// Opens the file at once, so that a path that cannot be written is known before the work starts. Throws Error.
  explicit Dump(const std::string& path) : file_(path) {}
  cpu::ScaledTrace trace();
  /// Writes arrays of int64, [positions, ...]. Scores and weights of attention, which grow with the position, are [positions, positions];
  /// beyond the last position they hold -2^20 and 0. Throws Error if the file cannot be written.
  void write();

 private:
  OutputFile file_;
  std::vector<std::string> order_;
  std::map<std::string, std::vector<std::vector<int64_t>>> values_;
};

}  // namespace bitgrid::cli
