// Defects of a fabric: a map of the unreliable cells and cell outputs, which every mapper avoids.
#pragma once

#include <compare>
#include <cstdint>
#include <random>
#include <vector>

#include "ir/grid_config.h"

namespace bitgrid {

/// A cell whose outputs are all unreliable, whatever its configuration.
struct BadCell {
  int x = 0;
  int y = 0;
  auto operator<=>(const BadCell&) const = default;
};

/// One unreliable output of a cell, toward its neighbour on `side` or out of the border. The other outputs work.
struct BadEdge {
  int x = 0;
  int y = 0;
  Side side = Side::N;
  auto operator<=>(const BadEdge&) const = default;
};

/// The defects of a tile, in the tile's own coordinates. Both lists are ascending and free of duplicates (see `normalise`). An edge may
/// also belong to a bad cell.
struct Defects {
  std::vector<BadCell> cells;
  std::vector<BadEdge> edges;

  bool empty() const { return cells.empty() && edges.empty(); }
  bool operator==(const Defects&) const = default;
};

/// Sorts both lists and drops duplicates.
void normalise(Defects& defects);

/// Returns the defects of both.
Defects merge(const Defects& a, const Defects& b);

/// Returns the defects inside a width x height region whose cell (0, 0) is the tile's cell (x, y), in the region's coordinates.
Defects clip(const Defects& defects, int width, int height, int x = 0, int y = 0);

/// Draws independent defects: each cell is bad with probability `cells`, and each edge of the good cells with probability `edges`.
Defects random_defects(int width, int height, double cells, double edges, std::mt19937_64& random);

/// Looks up defects by place within a width x height region. Places outside the region are good.
class DefectMap {
 public:
  DefectMap() = default;  // a fabric without defects
  DefectMap(const Defects& defects, int width, int height);

  bool bad_cell(int x, int y) const { return (at(x, y) & kCell) != 0; }
  /// Returns whether the output of cell (x, y) on `side` is unreliable because the edge or the whole cell is bad.
  bool bad_edge(int x, int y, Side side) const { return (at(x, y) & (1u << static_cast<unsigned>(side))) != 0; }
  /// Returns whether any of the four outputs is bad.
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
  std::vector<uint8_t> flags_;  // bits 0..3: outputs N, E, S, W; bit 4: the cell; empty: nothing is bad
};

}  // namespace bitgrid
