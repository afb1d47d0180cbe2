// The simulation itself, in this process: once per process, or SystemC objects.
#pragma once

#include "bitgrid_sim/systemc/memory_map.h"
#include "bitgrid_sim/systemc/platform.h"

namespace bitgrid::platform {

/// `params` have been checked.
PlatformResult run_system(const Program& program, const std::vector<MappedKernel>& mapped, const MemoryMap& map,
                          const PlatformParams& params);

}  // namespace bitgrid::platform
