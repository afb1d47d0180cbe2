// Sums of packed weights times codes, a row at a time: the definition, and the same with the vectors that this machine has.
#pragma once

#include <cstdint>
#include <span>

#include "ir/packed_weights.h"
#include "reference_cpu/scaled/codes.h"

namespace bitgrid::cpu {

enum class SumKernel : uint8_t { kDefinition /* element by element */, kFast };

/// How sums over the codes of a vector are grouped, and what all rows share.
struct SumPlan {
  size_t group = 0;                // inputs a sum; the last may have fewer
  std::vector<int64_t> code_sums;  // of each group: the sum of the codes
  size_t groups() const { return code_sums.size(); }
};

/// `group` inputs a sum; 0: all in one.
SumPlan plan_sums(const Codes& codes, size_t group);

/// sums[g] = the sum over group g of weight times code of row `r`.
void row_sums(const PackedWeights& weights, size_t r, const Codes& codes, const SumPlan& plan, std::span<int64_t> sums, SumKernel kernel);

/// Largest number of inputs for which sums stay within 32 bits.
inline constexpr size_t kMostInputs = 32768;

}  // namespace bitgrid::cpu
