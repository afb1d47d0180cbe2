// Iterative arrays with one state bit as one row of cells, II = 1: adders, subtracters, comparators, increments, wide gates, prefix gates.
#pragma once

#include <optional>

#include "ir/mapped_kernel.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::mapping {

struct RippleParams {
  size_t max_inputs = 4096;
  size_t bdd_nodes = 60'000;  // effort for each input order that is tried
};

/// Handles positions 0 .. n-1 with at most two input bits and two output bits each, and one state bit that runs from each position to the
/// next:
///     output = f(state, x, y)    next state = g(state, x, y)
/// f and g may differ at every position, and the state of position 0 may be an input (a carry in). Cell i of the row is position i: x
/// enters N, y enters S, and the state runs W to E. Outputs leave N and S, those of the last position also E. n x 1 cells.
///
/// It finds this form in any logic, however it is written. For a few input orders (words declared one after another, from either end;
/// interleaved; in the order in which outputs depend on them) it reads f and g off the outputs' decision diagrams, whose equality is exact.
/// Returns nullopt if there is no such form or finding it would exceed the effort.
std::optional<MappedKernel> map_ripple(const synthesis::LogicGraph& graph, const RippleParams& params = {});

}  // namespace bitgrid::mapping
