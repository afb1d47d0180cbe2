// Simulates defects: every bad output latches random bits.
#pragma once

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "ir/defects.h"

namespace bitgrid::sim {

/// Call it once after each step. A mapping that relies on a defect, or reads one by mistake, then gives wrong results. Works with any grid
/// that has set_output.
class GarbageInjector {
 public:
  GarbageInjector(const Defects& defects, int width, int height, uint64_t seed) : random_(seed) {
    const DefectMap bad(defects, width, height);
    for (int y = 0; y < height && !bad.empty(); ++y) {
      for (int x = 0; x < width; ++x) {
        for (const Side side : kSides) {
          if (bad.bad_edge(x, y, side)) outputs_[(x + y) & 1].push_back({x, y, side});
        }
      }
    }
  }
  bool empty() const { return outputs_[0].empty() && outputs_[1].empty(); }

  template <typename Grid>
  void after_step(Grid& grid, int64_t phase) {
    for (const BadEdge& e : outputs_[phase & 1]) grid.set_output(e.x, e.y, e.side, random_() & 1);
  }

 private:
  std::vector<BadEdge> outputs_[2];  // by the colour of the cell
  std::mt19937_64 random_;
};

}  // namespace bitgrid::sim
