// Timeline of the platform on a page: what tiles and buses did and when, from a file that `bitgrid run --trace` wrote.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace bitgrid::report {

/// Draws a row for each tile and bus over all cycles of the trace, coloured by activity, as an SVG fragment. Intervals narrower than half a
/// pixel are drawn half a pixel wide. `trace` is JSON in the trace event format with "cycle" and "cycles" in the args of each event. Throws
/// Error with `file` if it is not.
std::string platform_timeline_svg(const nlohmann::json& trace, const std::string& file);

}  // namespace bitgrid::report
