// Architecture: what the fabric around the cells is like. Defaults are those of arch/default.yaml.
#pragma once

#include <string>

namespace bitgrid {

struct Arch {
  std::string name = "default";
  int configuration_bits_per_cycle = 64;  // of the configuration port: a cell's word is 64 bits
  int tile_width = 0;                     // cells; 0: as large as a kernel needs
  int tile_height = 0;
};

}  // namespace bitgrid
