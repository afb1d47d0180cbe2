// Full and half adders in flat logic: finding them, and what they prove.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::synthesis {

/// The same functions, with every exclusive or of two or three (however it is written) as such, and every majority of three as g | c & p of
/// a half adder p = a ^ b, g = a & b, where the graph has such a p.
LogicGraph with_half_adders(const LogicGraph& graph);

/// The number that the outputs make up, bit 0 first, as a sum of input bits and of products of two inputs: constant + sum of
/// inputs[i] * input i + sum of products[i, j] * (input i and input j).
struct LinearForm {
  int64_t constant = 0;
  std::vector<int64_t> inputs;
  std::map<std::pair<uint32_t, uint32_t>, int64_t> products;  // i < j
};

inline constexpr size_t kMaxLinearOutputs = 40;

/// Replaces adders by what they conserve: a & b = (a + b - (a ^ b)) / 2, from the outputs down. Exact: every step is an identity of
/// numbers. nullopt if there is anything but adders and products, or there are more than kMaxLinearOutputs outputs.
std::optional<LinearForm> linear_form(const LogicGraph& graph);

}  // namespace bitgrid::synthesis
