// Evaluates LogicGraphs for 64 values of the inputs at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::synthesis {

/// inputs: one machine word per input, one lane per invocation. Returns one word per output.
std::vector<uint64_t> evaluate_lanes(const LogicGraph& graph, const std::vector<uint64_t>& inputs);

/// Returns whether the outputs (at most 64, the first one lowest) are f of the inputs (at most 30, the first one lowest) for every value of
/// them.
bool equals_on_all_values(const LogicGraph& graph, const std::function<uint64_t(uint64_t)>& f);

}  // namespace bitgrid::synthesis
