// The page of a sweep.
#pragma once

#include <string>
#include <vector>

#include "estimate/sweep.h"

namespace bitgrid::report {

/// Returns a self-contained page with a drawing of the Pareto front and a table of the points.
std::string sweep_page(const estimate::Sweep& sweep, const std::vector<nlohmann::ordered_json>& points);

}  // namespace bitgrid::report
