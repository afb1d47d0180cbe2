// What a sweep can change: names, ranges, and where each value goes.
#pragma once

#include <string>
#include <vector>

#include "estimate/estimate.h"
#include "estimate/estimate_source.h"

namespace bitgrid::estimate {

/// One value of a parameter as the sweep file has it.
struct SweepValue {
  std::string name;
  std::string text;
  std::string where;  // FILE:LINE
};

/// In the order of docs/estimate.md.
std::vector<std::string> sweep_parameter_names();

/// Puts the value where its parameter belongs. Throws Error naming the parameter and its range. Of a shapes file's own keys only the
/// numbers are looked at: the rest is for its reader.
void set_sweep_parameter(const SweepValue& value, EstimateSource& source, EstimateParams& params);

}  // namespace bitgrid::estimate
