// The page of a sweep.
#pragma once

#include <string>
#include <vector>

#include "estimate/sweep.h"

namespace bitgrid::report {

/// A self-contained page: the Pareto front drawn, and the points as a table.
std::string sweep_page(const estimate::Sweep& sweep, const std::vector<nlohmann::ordered_json>& points);

}  // namespace bitgrid::report
