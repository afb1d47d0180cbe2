// What a sweep can change: names, ranges, and where each value goes.
#pragma once

#include <string>
#include <vector>

#include "estimate/estimate.h"
#include "estimate/estimate_source.h"

namespace bitgrid::estimate {

/// One value of a parameter as written in the sweep file.
struct SweepValue {
  std::string name;
  std::string text;
  std::string where;  // FILE:LINE
};

/// Returns the names in the order of docs/estimate.md.
std::vector<std::string> sweep_parameter_names();

/// Puts the value where its parameter belongs. Throws Error with the parameter and its range. For the keys of a shapes file it checks only
/// numbers; their reader checks the rest.
void set_sweep_parameter(const SweepValue& value, EstimateSource& source, EstimateParams& params);

}  // namespace bitgrid::estimate
