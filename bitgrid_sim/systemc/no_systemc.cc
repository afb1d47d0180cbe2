// In place of the simulation where SystemC is missing.
#include "bitgrid_sim/systemc/system.h"

namespace bitgrid::platform {

bool platform_available() {
  return false;
}

PlatformResult run_system(const Program&, const std::vector<MappedKernel>&, const MemoryMap&, const PlatformParams&) {
  return {};
}

}  // namespace bitgrid::platform
