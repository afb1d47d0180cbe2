// Random configurations.
#pragma once

#include <cstdint>
#include <random>

#include "ir/grid_config.h"

namespace bitgrid::test {

/// One cell in `idle` is idle; 0: none but by chance.
inline GridConfig random_grid(int width, int height, std::mt19937_64& random, unsigned idle = 0) {
  GridConfig grid(width, height);
  for (CellWord& word : grid.cells) word = idle > 0 && random() % idle == 0 ? 0 : random();
  return grid;
}

/// From a generator of its own.
inline GridConfig random_grid(int width, int height, uint64_t seed, unsigned idle = 4) {
  std::mt19937_64 random(seed);
  return random_grid(width, height, random, idle);
}

}  // namespace bitgrid::test
