// Sums of packed weights times codes: the definition, and the same with the vector instructions of several processors, all behind one
// interface. The choice is made once, by the processor or by BITGRID_CPU=NAME in the environment.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/packed_weights.h"
#include "reference_cpu/scaled/codes.h"

namespace bitgrid::cpu {

struct SumImplementation;
struct SumPlan;

namespace sums {

/// Raw sums of one tile for a block of vectors: sums[v * stride + 16 g + row] = factor * (sum of unsigned weights times bytes of group g) -
/// offsets[v * groups + g]. The factor is 2 for one bit, otherwise 1.
struct TileOperands {
  const uint8_t* tile = nullptr;
  const int8_t* bytes = nullptr;     // [4 inputs][vector][4]
  const int32_t* offsets = nullptr;  // [vector][groups]
  size_t cells = 0, cells_per_group = 0, groups = 0;
  size_t stride = 0;  // distance of the sums of two vectors
};
using TileKernel = void (*)(const TileOperands&, int32_t* sums);

/// For the rows of a tile: y[row] += sum over groups of scales[g][row] * sums[g][row] * 2^shifts[g]. Without shifts, they count as 0.
struct GroupOperands {
  const int32_t* sums = nullptr;    // [groups][16]
  const int16_t* scales = nullptr;  // [groups][16]
  const uint8_t* shifts = nullptr;  // [groups], or nullptr
  size_t groups = 0;
};
using GroupKernel = void (*)(const GroupOperands&, int64_t* y);
/// out[g][row] = scales[row][g] for 16 rows of `groups`.
using ScaleKernel = void (*)(const int16_t* scales, size_t groups, int16_t* out);

}  // namespace sums

/// One way to compute sums.
struct SumImplementation {
  const char* name;     // of BITGRID_CPU
  const char* purpose;  // for people
  bool (*available)();  // on this processor
  /// Computes all sums of tiles begin .. end - 1, for any plan.
  void (*tiles)(const PackedWeights& weights, size_t begin, size_t end, const SumPlan& plan, int32_t* sums);
  /// Returns the kernel for `vectors` vectors of bytes at once, 1, 2, 4, .. most_vectors, or nullptr if `tiles` does all.
  sums::TileKernel (*kernel)(WeightStorage storage, size_t vectors);
  size_t most_vectors;
  sums::GroupKernel add_groups;
  sums::ScaleKernel by_group;
};

/// Vectors that are multiplied by one matrix: how sums are grouped, and the codes as kernels need them. Keeps a reference to the codes.
struct SumPlan {
  const SumImplementation* implementation = nullptr;
  std::span<const Codes> codes;
  size_t columns = 0;
  size_t group = 0;  // inputs per sum; the last may have fewer
  size_t groups = 0;
  std::vector<int64_t> code_sums;  // [vector][groups]: the sums of the codes

  // Only with kernels. Codes of more than a byte become two vectors: code = 128 high + low.
  bool wide = false;
  std::vector<int8_t> bytes;     // blocks of vectors, one after another: [4 inputs][vector of the block][4]
  std::vector<int32_t> offsets;  // [vector of bytes][groups], as in TileOperands

  size_t vectors() const { return codes.size(); }
  /// Returns the number of sums per tile.
  size_t tile_sums() const { return vectors() * groups * kTileRows; }
};

/// Lists all, the definition first, then from the simplest to the fastest.
const std::vector<SumImplementation>& sum_implementations();
/// Returns the fastest that is available, or the one that BITGRID_CPU names. Throws Error if that name is unknown or not available.
const SumImplementation& chosen_sums();
/// The same for a given name; empty: the fastest.
const SumImplementation& find_sums(const std::string& name);

enum class SumKernel : uint8_t { kDefinition /* element by element */, kFast };

inline const SumImplementation& sums_of(SumKernel kernel) {
  return kernel == SumKernel::kDefinition ? sum_implementations().front() : chosen_sums();
}

/// Plans vectors of equal length, at least one, with codes of up to 10 bits; `group` inputs per sum, or 0 for all in one.
SumPlan plan_sums(std::span<const Codes> codes, size_t group, WeightStorage storage, const SumImplementation& implementation);

/// Computes the sums of tiles begin .. end - 1: sums[(((t - begin) * vectors + v) * groups + g) * 16 + r] = the sum over group g of the
/// weights of row 16 t + r times the codes of vector v. Sums of rows after the last have no meaning.
inline void tile_sums(const PackedWeights& weights, size_t begin, size_t end, const SumPlan& plan, int32_t* sums) {
  plan.implementation->tiles(weights, begin, end, plan, sums);
}

/// The entries of the table. The kernels of each processor are in their own file.
namespace sums {
void definition(const PackedWeights& weights, size_t begin, size_t end, const SumPlan& plan, int32_t* sums);
void scalar(const PackedWeights& weights, size_t begin, size_t end, const SumPlan& plan, int32_t* sums);
/// Uses kernels if they can do it, otherwise `scalar`.
void with_kernels(const PackedWeights& weights, size_t begin, size_t end, const SumPlan& plan, int32_t* sums);

void add_groups(const GroupOperands& o, int64_t* y);
void by_group(const int16_t* scales, size_t groups, int16_t* out);

bool have_avx2();
void by_group_avx2(const int16_t* scales, size_t groups, int16_t* out);
TileKernel avx2(WeightStorage storage, size_t vectors);
bool have_avxvnni();
TileKernel avxvnni(WeightStorage storage, size_t vectors);
bool have_avx512();
void add_groups_avx512(const GroupOperands& o, int64_t* y);
TileKernel avx512(WeightStorage storage, size_t vectors);
bool have_dotprod();
TileKernel dotprod(WeightStorage storage, size_t vectors);
}  // namespace sums

}  // namespace bitgrid::cpu
