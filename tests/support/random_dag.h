// Random Dags and random batches of invocations, for tests of whatever reads a Dag. `Random` is any generator of numbers: std::mt19937_64,
// or the bytes of a fuzz target's input.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ir/dag.h"

namespace bitgrid::test {

struct RandomDagParams {
  uint32_t inputs = 4;
  uint32_t nodes = 40;  // beside inputs and outputs
  uint32_t outputs = 4;
  uint32_t max_width = 70;  // of inputs, constants and results; more than 64 takes multi-word paths
  uint32_t max_lut_inputs = 6;
};

template <typename Random>
uint32_t below(Random& rng, uint32_t n) {
  return static_cast<uint32_t>(rng() % n);
}

template <typename Random>
BitVector random_bits(Random& rng, uint32_t width) {
  BitVector value(width);
  for (uint32_t i = 0; i < width; ++i) value.set(i, rng() & 1u);
  return value;
}

template <typename Random>
BitMatrix random_rows(Random& rng, size_t rows, size_t cols) {
  BitMatrix matrix(rows, cols);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) matrix.set(r, c, rng() & 1u);
  }
  return matrix;
}

/// Small widths as often as large ones.
template <typename Random>
uint32_t random_width(Random& rng, uint32_t max_width) {
  return 1 + below(rng, below(rng, 2) == 0 ? std::min(8u, max_width) : max_width);
}

/// A node of operation `op` on operands taken at random from `values` (which gets the new node), with slices added where a width is asked
/// for.
template <typename Random>
void add_random_node(Dag& dag, Random& rng, Op op, std::vector<NodeId>& values, const RandomDagParams& params) {
  const auto pick = [&] { return values[below(rng, static_cast<uint32_t>(values.size()))]; };
  const auto narrow = [&](uint32_t width) {
    const NodeId a = pick();
    if (dag.node(a).width <= width) return a;
    return add_slice(dag, a, below(rng, dag.node(a).width - width + 1), width);
  };
  const uint32_t width = random_width(rng, params.max_width);
  switch (op) {
    case Op::kConstant:
      values.push_back(add_constant(dag, random_bits(rng, width)));
      break;
    case Op::kSelect: {
      const NodeId condition = narrow(1);
      values.push_back(add_node(dag, op, width, {condition, pick(), pick()}));
      break;
    }
    case Op::kSlice: {
      const NodeId a = pick();
      const uint32_t low = below(rng, dag.node(a).width);
      values.push_back(add_slice(dag, a, low, 1 + below(rng, dag.node(a).width - low)));
      break;
    }
    case Op::kConcat: {
      std::vector<NodeId> parts;
      uint32_t sum = 0;
      for (uint32_t i = 0; i <= below(rng, 4); ++i) {
        parts.push_back(narrow(params.max_width / 2 + 1));
        sum += dag.node(parts.back()).width;
      }
      values.push_back(add_node(dag, op, sum, parts));
      break;
    }
    case Op::kLess:
      values.push_back(add_node(dag, op, 1, {pick(), pick()}));
      break;
    case Op::kLut: {
      const NodeId a = narrow(1 + below(rng, params.max_lut_inputs));
      std::vector<BitVector> table;
      for (uint32_t i = 0; i < 1u << dag.node(a).width; ++i) table.push_back(random_bits(rng, width));
      values.push_back(add_lut(dag, a, table));
      break;
    }
    default: {
      std::vector<NodeId> operands;
      for (int i = 0; i < info(op).min_operands; ++i) operands.push_back(pick());
      values.push_back(add_node(dag, op, width, operands));
    }
  }
}

/// A verified Dag with `params.nodes` operations, each kind in turn and then at random. Outputs are the last values and some earlier ones.
template <typename Random>
Dag random_dag(Random& rng, const RandomDagParams& params = {}) {
  Dag dag;
  dag.name = "random.dag";
  std::vector<NodeId> values;
  for (uint32_t i = 0; i < params.inputs; ++i)
    values.push_back(add_input(dag, "in." + std::to_string(i), random_width(rng, params.max_width), below(rng, 3) == 0));
  const uint32_t first = static_cast<uint32_t>(Op::kConstant);
  const uint32_t kinds = static_cast<uint32_t>(Op::kOutput) - first;
  for (uint32_t i = 0; i < params.nodes; ++i)
    add_random_node(dag, rng, static_cast<Op>(first + (i < kinds ? i : below(rng, kinds))), values, params);
  for (uint32_t i = 0; i < params.outputs; ++i) {
    const size_t back = i < values.size() / 2 && i % 2 == 0 ? values.size() - 1 - i : below(rng, static_cast<uint32_t>(values.size()));
    add_output(dag, "out." + std::to_string(i), values[back]);
  }
  verify(dag);
  return dag;
}

}  // namespace bitgrid::test
