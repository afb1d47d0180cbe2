// Full and half adders in flat logic: how to find them, and what they prove.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::synthesis {

/// Returns the same functions. Every exclusive or of two or three (however it is written) becomes an XOR node, and every majority of three
/// becomes g | c & p of a half adder p = a ^ b, g = a & b, if the graph has such a p.
LogicGraph with_half_adders(const LogicGraph& graph);

/// The number that the outputs form, bit 0 first, as a sum of input bits and of products of two inputs: constant + sum of inputs[i] * input
/// i + sum of products[i, j] * (input i and input j).
struct LinearForm {
  int64_t constant = 0;
  std::vector<int64_t> inputs;
  std::map<std::pair<uint32_t, uint32_t>, int64_t> products;  // i < j
};

inline constexpr size_t kMaxLinearOutputs = 40;

/// Replaces adders by the identity a & b = (a + b - (a ^ b)) / 2, starting at the outputs. Exact, because every step is an identity of
/// numbers. Returns nullopt if there is anything but adders and products, or if there are more than kMaxLinearOutputs outputs.
std::optional<LinearForm> linear_form(const LogicGraph& graph);

}  // namespace bitgrid::synthesis
