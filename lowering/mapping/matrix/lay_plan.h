// Lays the plan of a bit-serial array: the only code that knows its truth tables.
#pragma once

#include <cstdint>
#include <string>

#include "lowering/mapping/matrix/array_plan.h"

namespace bitgrid::mapping {

/// The kernel of `form`, whose plan this is. `input_bits`: of the kernel; every word and resident digit lies below it.
MappedKernel lay_plan(const std::string& name, const BitSerialForm& form, uint32_t input_bits, const ArrayPlan& plan);

}  // namespace bitgrid::mapping
