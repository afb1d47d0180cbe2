// Kernels without logic, whose outputs are inputs, complements of inputs, or constants.
#pragma once

#include <optional>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::mapping {

/// Lays one row of cells, II = 1, latency 1 (strategy "wires"). Outputs leave N and S of each cell, each in the phase in which its input
/// bit enters the same cell from the other side. An input with several outputs enters several times, and an unused input enters at any free
/// port. No bad output is used. Returns nullopt if some output is logic. Throws Error if the row would be longer than a grid may be.
std::optional<MappedKernel> map_wires(const synthesis::LogicGraph& graph, const Defects& defects = {});

}  // namespace bitgrid::mapping
