// Whether the configuration of a mapped kernel relies on a defect.
#pragma once

#include <optional>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"

namespace bitgrid {

/// The first bad output, row by row, that the configuration (resident words included) gives anything but the constant 0. A mapping without
/// one may still go wrong if a cell reads an idle output: simulation with garbage there shows that (bitgrid_sim/garbage.h). Defects outside
/// of the kernel's grid do not matter.
std::optional<BadEdge> first_defect_used(const MappedKernel& kernel, const Defects& defects);

}  // namespace bitgrid
