// Iterative arrays of one state bit as one row of cells, II = 1: adders, subtracters, comparators, increments, wide gates, prefix gates.
#pragma once

#include <optional>

#include "ir/mapped_kernel.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::mapping {

struct RippleParams {
  size_t max_inputs = 4096;
  size_t bdd_nodes = 60'000;  // effort for each order of the inputs that is tried
};

/// Positions 0 .. n-1 with at most two input bits and two output bits each, and one state bit that runs from one to the next:
///     output = f(state, x, y)    next state = g(state, x, y)
/// Every f and g may be another one at every position; the state of position 0 may be an input (a carry in). Cell i of the row is position
/// i: x enters N, y enters S, the state runs W to E, outputs leave N and S, those of the last position also E. n x 1 cells.
///
/// Finds the form in any logic, however it is written: under a few orders of the inputs (words declared one after another, from either
/// end; interleaved; as outputs come to depend on them) it reads f and g off the outputs' decision diagrams, whose equality is exact.
/// nullopt if there is none, or it would take more than the effort.
std::optional<MappedKernel> map_ripple(const synthesis::LogicGraph& graph, const RippleParams& params = {});

}  // namespace bitgrid::mapping
