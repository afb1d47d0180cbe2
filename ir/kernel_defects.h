// Checks whether the configuration of a mapped kernel relies on a defect.
#pragma once

#include <optional>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"

namespace bitgrid {

/// Returns the first bad output, row by row, to which the configuration (resident words included) gives anything but the constant 0. A
/// mapping without one may still fail if a cell reads an idle output; simulation with garbage on those outputs shows this
/// (bitgrid_sim/garbage.h). Defects outside the kernel's grid do not matter.
std::optional<BadEdge> first_defect_used(const MappedKernel& kernel, const Defects& defects);

}  // namespace bitgrid
