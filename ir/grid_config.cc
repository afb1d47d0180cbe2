#include "ir/grid_config.h"

#include <algorithm>

namespace bitgrid {

CellWord cell_word(const std::array<Lut, 4>& luts) {
  CellWord word = 0;
  for (unsigned i = 0; i < 16; ++i) {
    for (unsigned side = 0; side < 4; ++side) {
      word |= static_cast<CellWord>((luts[side] >> i) & 1u) << (4 * i + side);
    }
  }
  return word;
}

std::array<Lut, 4> cell_luts(CellWord word) {
  std::array<Lut, 4> luts{};
  for (unsigned i = 0; i < 16; ++i) {
    for (unsigned side = 0; side < 4; ++side) {
      luts[side] = static_cast<Lut>(luts[side] | (((word >> (4 * i + side)) & 1u) << i));
    }
  }
  return luts;
}

Lut cell_lut(CellWord word, size_t side) {
  unsigned lut = 0;
  for (unsigned i = 0; i < 16; ++i) lut |= static_cast<unsigned>((word >> (4 * i + side)) & 1u) << i;
  return static_cast<Lut>(lut);
}

unsigned support(Lut table) {
  unsigned mask = 0;
  for (unsigned i = 0; i < 4; ++i) mask |= static_cast<unsigned>((((table >> (1u << i)) ^ table) & static_cast<Lut>(~kCopy[i])) != 0) << i;
  return mask;
}

size_t cells_used(const GridConfig& grid) {
  return static_cast<size_t>(std::count_if(grid.cells.begin(), grid.cells.end(), [](CellWord w) { return w != 0; }));
}

}  // namespace bitgrid
