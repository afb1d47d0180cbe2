// Normalises the phases of a kernel that was laid at an arbitrary time.
#pragma once

#include "ir/mapped_kernel.h"

namespace bitgrid::mapping {

/// Shifts all phases by an even number so that the first input bit is read in phase 0 or 1, and constants into their first period.
void normalise_phases(MappedKernel& kernel);

}  // namespace bitgrid::mapping
