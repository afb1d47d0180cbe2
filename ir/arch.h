// Architecture: what the fabric around the cells is like. Defaults are those of arch/default.yaml.
#pragma once

#include <string>

namespace bitgrid {

struct Arch {
  std::string name = "default";
  int configuration_bits_per_cycle = 64;  // of the configuration port: a cell's word is 64 bits
};

}  // namespace bitgrid
