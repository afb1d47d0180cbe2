#include "bitgrid_sim/systemc/residency.h"

namespace bitgrid::platform {

Configuration configuration_of(const Program& program, const std::vector<MappedKernel>& mapped, size_t stream, int step) {
  const int kernel = program.steps[static_cast<size_t>(step)].kernel;
  if (mapped[static_cast<size_t>(kernel)].residents.empty() || !keeps_tile(program, program.steps[static_cast<size_t>(step)]))
    return {kernel, -1, -1};
  return {kernel, static_cast<int64_t>(stream), step};
}

std::vector<Configuration> resident_configurations(const Program& program, const std::vector<MappedKernel>& mapped, size_t streams) {
  std::vector<Configuration> all;
  std::vector<uint8_t> seen(program.kernels.size());  // kernels that all steps and streams share
  for (size_t stream = 0; stream < streams; ++stream) {
    for (size_t s = 0; s < program.steps.size(); ++s) {
      const Configuration c = configuration_of(program, mapped, stream, static_cast<int>(s));
      if (c.step >= 0 || !seen[static_cast<size_t>(c.kernel)]) all.push_back(c);
      seen[static_cast<size_t>(c.kernel)] = 1;
    }
  }
  return all;
}

}  // namespace bitgrid::platform
