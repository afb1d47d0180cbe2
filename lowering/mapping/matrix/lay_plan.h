// Lays the plan of a bit-serial array. Only this code knows its truth tables.
#pragma once

#include <cstdint>
#include <string>

#include "lowering/mapping/matrix/array_plan.h"

namespace bitgrid::mapping {

/// Lays the kernel of `form` with its plan. `input_bits` is that of the kernel; all words and resident digits lie below it.
MappedKernel lay_plan(const std::string& name, const BitSerialForm& form, uint32_t input_bits, const ArrayPlan& plan);

}  // namespace bitgrid::mapping
