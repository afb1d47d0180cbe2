// The plan of a bit-serial array on a flawless site, in closed form.
#pragma once

#include "lowering/mapping/matrix/array_plan.h"

namespace bitgrid::mapping {

/// Bounding box and times of this plan are bit_serial_size(form).
ArrayPlan regular_plan(const BitSerialForm& form);

}  // namespace bitgrid::mapping
