// The times of a kernel in settle mode, which holds its inputs until everything has settled.
#pragma once

#include "ir/mapped_kernel.h"

namespace bitgrid::mapping {

/// Fills in ii, the phases of inputs and outputs, and the holds (ii cycles) of a kernel whose grid and ports are given. Phases that its
/// slots already have are ignored. A cell latches a function of what was at the inputs some hops ago, and paths differ in length. Output o
/// is right in phase s if for every input i that reaches it in `shortest` to `longest` hops,
///     p_i + longest <= s < p_i + shortest + 2 ii.
/// With `skew`, inputs may enter one after another. These inequalities are then difference constraints on p and s, and bisection finds the
/// smallest ii (then the smallest latency) for which they have a solution. Without it, all inputs enter in the first phase of their border
/// cell. Paths follow the configuration: an output of a cell depends on the sides that its table depends on. Throws Error if the outputs
/// depend on a loop of cells. The kernel must have no constant streams.
void settle(MappedKernel& kernel, bool skew = true);

}  // namespace bitgrid::mapping
