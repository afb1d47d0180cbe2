// Estimates how many edges the nets of a placement need, in each direction and each part of a region, before they are routed.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "ir/index.h"
#include "lowering/mapping/netlist/region.h"

namespace bitgrid::mapping {

/// Returns the expected length of a tree relative to the half perimeter of its box, by number of pins (Cheng, RISA, ICCAD 1994).
double tree_weight(size_t pins);

/// The box around the pins of a net, in cells.
struct NetBox {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  int x = 0, y = 0;  // of the driver
  bool operator==(const NetBox&) const = default;
};

/// Square bins over a region, at most `most` across.
struct Bins {
  Bins() = default;
  Bins(const Region& region, int most);

  size_t columns = 1, rows = 1;
  int size = 1;  // cells per side; bins at the east and south border may be cut

  size_t of(int v) const { return index_of(v / size); }
};

/// Spreads the length of each net evenly over its box: as edges E east of the driver, W west of it, and so on.
class DemandMap {
 public:
  explicit DemandMap(const Bins& bins = {});

  void clear();
  /// First add all nets,
  void add(const NetBox& box, float weight);
  /// then sum,
  void sum();
  /// then read how many edges are needed in a direction (E, W, S, N) in a bin.
  float at(size_t direction, size_t bx, size_t by) const { return edges_[direction][by * stride_ + bx]; }

 private:
  void spread(size_t direction, int x0, int y0, int x1, int y1, float weight, int length);

  Bins bins_;
  size_t stride_;
  std::array<std::vector<float>, 4> edges_;  // differences until sum()
};

}  // namespace bitgrid::mapping
