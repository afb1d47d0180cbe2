// Decides which tile, or which kind of tile, a step runs on.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/mapped_kernel.h"
#include "ir/program.h"

namespace bitgrid::platform {

/// What a tile holds: a kernel and, if it has resident bits, whose bits they are.
struct Configuration {
  int kernel = -1;
  int64_t stream = -1;
  int step = -1;
  bool operator==(const Configuration&) const = default;
};

/// Returns the tile, or the kind of tile, that a step of a stream needs.
Configuration configuration_of(const Program& program, const std::vector<MappedKernel>& mapped, size_t stream, int step);

/// Returns the configurations of resident tiles, in order of use: one per kernel, or one per step and stream if a kernel holds resident
/// bits.
std::vector<Configuration> resident_configurations(const Program& program, const std::vector<MappedKernel>& mapped, size_t streams);

}  // namespace bitgrid::platform
