// Counts of ones (popcounts) as an array of half adders, II = 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::mapping {

inline constexpr uint32_t kLeastCounterInputs = 4;

/// Output bit j of the kernel is bit j of the number of ones among `inputs` >= kLeastCounterInputs input bits; II = 1. Bit j of the running
/// count flows east in row j; a column adds an input, the carry goes south: (inputs - 2) x (bits of inputs) cells, a row less if inputs or
/// inputs - 1 is a power of two. The kernel relies on no defect of the tile whose north-west corner it takes: around defects it has a few
/// rows of cells more, and in a column without an input the rows of the count step around what comes, in as few columns and rows as can be.
/// nullopt: no layout fits.
std::optional<MappedKernel> counter_kernel(const std::string& name, uint32_t inputs, uint32_t outputs, const Defects& defects = {});

struct CounterParams {
  size_t bdd_nodes = 60'000;
  uint32_t max_bdd_inputs = 256;
};

/// Whether the outputs are the count of all inputs, however it is written: by adders (linear_form), or by decision diagrams. Exact; false
/// also if it would take more than the effort.
bool is_counter(const synthesis::LogicGraph& graph, const CounterParams& params = {});

}  // namespace bitgrid::mapping
