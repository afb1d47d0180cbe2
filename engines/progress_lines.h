// The status lines of an engine's long preparations.
#pragma once

#include <functional>
#include <string>

#include "lowering/mapping/map.h"
#include "rtl/verilator.h"

namespace bitgrid::engines {

using Say = std::function<void(const std::string& line)>;

/// "mapping kernel 3 of 46, layers.0.query.0".
mapping::MapRun mapping_run(const Say& say);
/// "step 3 of 96, layers.0.query". Steps that run as one batch share the line of the first.
std::string step_line(const Program& program, int step);
/// "verilated 3 of 46, layers.0.query.0".
rtl::RtlParams verilating_params(const Say& say);

}  // namespace bitgrid::engines
