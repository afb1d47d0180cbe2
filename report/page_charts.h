// Drawings of a report: the model's graph, the timeline of a token, the roofline. They are SVG fragments for a page.
#pragma once

#include <string>

#include "estimate/estimate.h"
#include "ir/program.h"

namespace bitgrid::report {

/// Shows kernels (parts and heads of one matrix as one) from left to right by stage, with the tensors between them.
std::string graph_svg(const Program& program);
/// Shows each stage as a bar from its first cycle to its last, then configuration.
std::string timeline_svg(const estimate::Estimate& figures);
/// Shows bit-multiplications per cycle over those per bit of memory traffic: where compute, memory and configuration limit, and where the
/// model is.
std::string roofline_svg(const estimate::Estimate& figures, const estimate::EstimateParams& params);

}  // namespace bitgrid::report
