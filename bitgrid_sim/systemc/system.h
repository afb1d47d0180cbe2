// The simulation itself, in this process. It may run only once per process; SystemC objects to a second run.
#pragma once

#include "bitgrid_sim/systemc/memory_map.h"
#include "bitgrid_sim/systemc/platform.h"

namespace bitgrid::platform {

/// `params` must have been checked.
PlatformResult run_system(const Program& program, const std::vector<MappedKernel>& mapped, const MemoryMap& map,
                          const PlatformParams& params);

}  // namespace bitgrid::platform
