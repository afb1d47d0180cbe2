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
/// count flows east in row j. Each column adds an input, and its carry goes south. This takes (inputs - 2) x (bits of inputs) cells, or one
/// row less if inputs or inputs - 1 is a power of two. The kernel relies on no defect of the tile whose north-west corner it takes. With
/// defects it has a few more rows of cells, and in a column without an input the rows of the count step around defects, in as few columns
/// and rows as possible. nullopt: no layout fits.
std::optional<MappedKernel> counter_kernel(const std::string& name, uint32_t inputs, uint32_t outputs, const Defects& defects = {});

struct CounterParams {
  size_t bdd_nodes = 60'000;
  uint32_t max_bdd_inputs = 256;
};

/// Returns whether the outputs are the count of all inputs, however the logic is written. It tries adders (linear_form) and decision
/// diagrams. The test is exact, but it also returns false if it would exceed the effort.
bool is_counter(const synthesis::LogicGraph& graph, const CounterParams& params = {});

}  // namespace bitgrid::mapping
