// Defects of a fabric: cells and single output edges that cannot be relied on, as a map of bad places that every mapper goes around.
#pragma once

#include <compare>
#include <cstdint>
#include <random>
#include <vector>

#include "ir/grid_config.h"

namespace bitgrid {

/// A cell none of whose outputs can be relied on, whatever its configuration.
struct BadCell {
  int x = 0;
  int y = 0;
  auto operator<=>(const BadCell&) const = default;
};

/// One output of a cell (toward its neighbour on `side`, or out of the border) that cannot be relied on; the others can.
struct BadEdge {
  int x = 0;
  int y = 0;
  Side side = Side::N;
  auto operator<=>(const BadEdge&) const = default;
};

/// A tile's defects in its own coordinates. Both lists are ascending and hold nothing twice (`normalise` makes it so); that an edge belongs
/// to a bad cell as well does no harm.
struct Defects {
  std::vector<BadCell> cells;
  std::vector<BadEdge> edges;

  bool empty() const { return cells.empty() && edges.empty(); }
  bool operator==(const Defects&) const = default;
};

/// Sorts both lists and drops duplicates.
void normalise(Defects& defects);

/// All defects of both.
Defects merge(const Defects& a, const Defects& b);

/// Those within 0 .. width-1, 0 .. height-1 of a region whose cell (0, 0) is the tile's cell (x, y), in the region's coordinates.
Defects clip(const Defects& defects, int width, int height, int x = 0, int y = 0);

/// Defects spread independently: each cell bad with probability `cells`, each edge of the others with probability `edges`.
Defects random_defects(int width, int height, double cells, double edges, std::mt19937_64& random);

/// Look-up by place within a width x height region; places outside of it are good.
class DefectMap {
 public:
  DefectMap() = default;  // of a flawless fabric
  DefectMap(const Defects& defects, int width, int height);

  bool bad_cell(int x, int y) const { return (at(x, y) & kCell) != 0; }
  /// The output of cell (x, y) on `side` cannot be relied on: the edge or the whole cell is bad.
  bool bad_edge(int x, int y, Side side) const { return (at(x, y) & (1u << static_cast<unsigned>(side))) != 0; }
  /// Any of the four outputs is bad.
  bool touched(int x, int y) const { return at(x, y) != 0; }
  bool empty() const { return flags_.empty(); }

 private:
  static constexpr unsigned kCell = 16;
  unsigned at(int x, int y) const {
    if (flags_.empty() || x < 0 || y < 0 || x >= width_ || y >= height_) return 0;
    return flags_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)];
  }

  int width_ = 0;
  int height_ = 0;
  std::vector<uint8_t> flags_;  // bits 0..3 the outputs N, E, S, W; bit 4 the cell; no cells: nothing is bad
};

}  // namespace bitgrid
