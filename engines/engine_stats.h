// What an engine has done so far.
#pragma once

#include <cstdint>

namespace bitgrid::engines {

struct EngineStats {
  uint64_t cycles = 0;                // of the simulated hardware, summed over kernels (dag: 0)
  uint64_t cell_updates = 0;          // grid and fabric
  uint64_t reconfigured_cells = 0;    // likewise
  uint64_t configuration_clocks = 0;  // fabric: of its chains, including the first load
};

}  // namespace bitgrid::engines
