// The bit-sliced operands and result that an operation's evaluation function gets. Used by dag_eval.cc, dag_ops.cc and the operation table.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/dag.h"

namespace bitgrid {

/// Element i is one word: bit i of the value in 64 invocations.
using Slices = std::span<const uint64_t>;

struct Evaluation {
  const Node& node;
  std::span<const Slices> operands;
  std::span<uint64_t> result;      // node.width words; shares no memory with the operands
  std::vector<uint64_t>& scratch;  // reused between calls, so that the inner loop allocates nothing
};

void evaluate_constant(const Evaluation& e);
void evaluate_xnor(const Evaluation& e);
void evaluate_xor(const Evaluation& e);
void evaluate_and(const Evaluation& e);
void evaluate_or(const Evaluation& e);
void evaluate_not(const Evaluation& e);
void evaluate_select(const Evaluation& e);
void evaluate_slice(const Evaluation& e);
void evaluate_concat(const Evaluation& e);
void evaluate_popcount(const Evaluation& e);
void evaluate_add(const Evaluation& e);
void evaluate_subtract(const Evaluation& e);
void evaluate_less(const Evaluation& e);
void evaluate_lut(const Evaluation& e);
void evaluate_output(const Evaluation& e);

/// Transposes a 64 x 64 bit matrix in place: bit j of word i trades places with bit i of word j.
void transpose64(uint64_t* words);

}  // namespace bitgrid
