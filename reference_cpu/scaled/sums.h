// Sums of packed weights times codes: the definition, and the same with the vectors of several processors, all behind one interface. Which
// one runs is decided once, by what the processor has, or by BITGRID_CPU=NAME in the environment.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/packed_weights.h"
#include "reference_cpu/scaled/codes.h"

namespace bitgrid::cpu {

struct SumImplementation;

/// What all rows of a matrix share: how sums are grouped, and the codes as an implementation wants them.
struct SumPlan {
  const SumImplementation* implementation = nullptr;
  size_t group = 0;                // inputs a sum; the last may have fewer
  std::vector<int64_t> code_sums;  // of each group: the sum of the codes
  std::vector<int8_t> arranged;    // codes of a byte in the order of the implementation's steps; empty: as they are
  size_t groups() const { return code_sums.size(); }
};

/// One way to compute sums.
struct SumImplementation {
  const char* name;     // of BITGRID_CPU
  const char* purpose;  // for people
  bool (*available)();  // on this processor
  /// Fills plan.arranged, where that helps for this storage.
  void (*arrange)(const Codes& codes, WeightStorage storage, SumPlan& plan);
  /// sums[(r - begin) * groups + g] of rows begin .. end - 1.
  void (*rows)(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* sums);
};

/// All, the definition first, then from the plainest to the fastest.
const std::vector<SumImplementation>& sum_implementations();
/// The fastest that is available, or the one that BITGRID_CPU names. Throws Error for a name that is unknown or not available.
const SumImplementation& chosen_sums();
/// The same for a given name; empty: the fastest.
const SumImplementation& find_sums(const std::string& name);

enum class SumKernel : uint8_t { kDefinition /* element by element */, kFast };

/// `group` inputs a sum; 0: all in one.
SumPlan plan_sums(const Codes& codes, size_t group, WeightStorage storage, const SumImplementation& implementation);
inline const SumImplementation& sums_of(SumKernel kernel) {
  return kernel == SumKernel::kDefinition ? sum_implementations().front() : chosen_sums();
}

/// Sums of rows begin .. end - 1: sums[(r - begin) * plan.groups() + g] = the sum over group g of weight times code.
inline void row_sums(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* sums) {
  plan.implementation->rows(weights, begin, end, codes, plan, sums);
}

/// The implementations, each in a file of its own; what one has no steps for, it leaves to the one before it.
namespace sums {
void definition(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* out);
void scalar(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* out);
bool have_avx2();
void avx2(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* out);
bool have_avx512();
void arrange_avx512(const Codes& codes, WeightStorage storage, SumPlan& plan);
void avx512(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* out);
/// From sums of unsigned codes c to sums of weights: c - 1, or 2 c - 1.
inline void from_unsigned(const SumPlan& plan, bool one_bit, int64_t* out) {
  for (size_t g = 0; g < plan.groups(); ++g) out[g] = (one_bit ? 2 * out[g] : out[g]) - plan.code_sums[g];
}
}  // namespace sums

}  // namespace bitgrid::cpu
