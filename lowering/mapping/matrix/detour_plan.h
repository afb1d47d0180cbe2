// Finds the plan of a bit-serial array on a site with bad cells and edges by search. docs/defects.md describes the construction.
#pragma once

#include <string>

#include "ir/defects.h"
#include "lowering/mapping/matrix/array_plan.h"

namespace bitgrid::mapping {

struct DetourStats {
  int attempts = 0;  // layouts tried
  int late = 0;      // of the chosen one: cycles by which words and rows are late at its eastern end
};

/// Returns a plan that relies on no defect of the tile whose north-west corner it takes. It has more cells and a longer latency than
/// regular_plan. Throws Error (kernel `name`, what was in the way, cure) if it finds none.
ArrayPlan detour_plan(const std::string& name, const BitSerialForm& form, const Defects& defects, DetourStats* stats = nullptr);

}  // namespace bitgrid::mapping
