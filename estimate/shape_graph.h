// The graph that a shapes file names, for checkpoints with random weights.
#pragma once

#include <cstdint>
#include <string>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::estimate {

/// Returns sizes and choices of the graph. Throws Error (FILE:LINE) for a file without `graph`, `rope_theta`, `eps` or `tied`, or one that
/// describes anything other than a gated decoder without experts.
frontend::GraphConfig parse_shape_graph(const std::string& yaml, const std::string& path);

/// Returns the keys of a shapes file.
const std::vector<std::string>& shape_keys();

}  // namespace bitgrid::estimate
