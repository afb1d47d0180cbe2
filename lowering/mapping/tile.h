// The tile that kernels must fit.
#pragma once

namespace bitgrid::mapping {

/// Cells of a tile. 0: as many as a kernel needs.
struct Tile {
  int width = 0;
  int height = 0;
  bool bounded() const { return width > 0 || height > 0; }
};

}  // namespace bitgrid::mapping
