// One head of softmax attention over cached keys and values, in integers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/scaled_model.h"
#include "reference_cpu/scaled/cache.h"

namespace bitgrid::cpu {

/// Fraction bits that mixed values have in addition to those of the values.
inline constexpr int kMixBits = 8;

/// What one head sees.
struct HeadOperands {
  std::span<const int64_t> query;  // codes of 8 bits
  Scalar score_unit;               // of query code times key code, with mantissa and exponent 1, in sixteenths of octaves
  const LayerCache& keys;
  const LayerCache& values;
  size_t head = 0;       // of keys and values
  size_t positions = 0;  // cached, including this one
  size_t recent = 0;     // number of them that are read in the recent form
};

/// Scores and weights of the positions, for traces.
struct HeadTrace {
  std::vector<int64_t> scores, weights;
};

/// Returns the mix of the values, with 8 more fraction bits than the values: [head_width].
std::vector<int64_t> attend_head(const HeadOperands& operands, const ScaledTables& tables, HeadTrace* trace = nullptr);

}  // namespace bitgrid::cpu
