#include "reference_cpu/scaled/row_sums.h"

#include <algorithm>
#include <array>
#include <cassert>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bitgrid::cpu {

namespace {

void definition(const PackedWeights& weights, size_t r, const Codes& codes, size_t group, std::span<int64_t> sums) {
  std::fill(sums.begin(), sums.end(), 0);
  for (size_t i = 0; i < codes.count; ++i) sums[i / group] += int64_t{weights.at(r, i)} * codes.values[i];
}

/// Block by block: for machines without the vectors below, and for groups that are not whole chunks of them.
void by_blocks(const PackedWeights& weights, size_t r, const Codes& codes, size_t group, std::span<int64_t> sums) {
  std::vector<int8_t> row(codes.count);
  weights.unpack(r, row);
  for (size_t g = 0; g < sums.size(); ++g) {
    const size_t end = std::min(codes.count, (g + 1) * group);
    int32_t sum = 0;
    for (size_t i = g * group; i < end; ++i) sum += row[i] * codes.values[i];
    sums[g] = sum;
  }
}

#if defined(__x86_64__)

constexpr size_t kChunk = 32;  // inputs of one step

/// Codes 32 c .. 32 c + 31 of a row, unsigned.
template <WeightStorage kStorage>
__attribute__((target("avx2"), always_inline)) inline __m256i chunk_of(const uint8_t* row, size_t c) {
  const int k = static_cast<int>(c % 4);
  if constexpr (kStorage == WeightStorage::kTwoBits) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + kChunk * (c / 4)));
    return _mm256_and_si256(_mm256_srl_epi16(v, _mm_cvtsi32_si128(2 * k)), _mm256_set1_epi8(3));
  } else {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + kChunk / 2 * (c / 4)));
    const __m128i low = _mm_srl_epi16(v, _mm_cvtsi32_si128(2 * k)), high = _mm_srl_epi16(v, _mm_cvtsi32_si128(2 * k + 1));
    return _mm256_and_si256(_mm256_set_m128i(high, low), _mm256_set1_epi8(1));
  }
}

__attribute__((target("avx2"), always_inline)) inline int32_t sum_of(__m256i v) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
}

/// One or two bits a weight, codes that fit in a byte: unsigned codes of weights times signed bytes.
template <WeightStorage kStorage>
__attribute__((target("avx2"))) void bits_times_bytes(const uint8_t* row, const int8_t* a, size_t chunks, size_t per_group, int64_t* sums) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (size_t c = 0; c < chunks; c += per_group) {
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = c; i < std::min(chunks, c + per_group); ++i) {
      const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + kChunk * i));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(chunk_of<kStorage>(row, i), codes), ones));
    }
    *sums++ = sum_of(sum);
  }
}

__attribute__((target("avx2"), always_inline)) inline __m256i times_words(__m256i low, __m256i high, const int16_t* a) {
  return _mm256_add_epi32(_mm256_madd_epi16(low, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a))),
                          _mm256_madd_epi16(high, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + kChunk / 2))));
}

/// The same with codes of 16 bits.
template <WeightStorage kStorage>
__attribute__((target("avx2"))) void bits_times_words(const uint8_t* row, const int16_t* a, size_t chunks, size_t per_group,
                                                      int64_t* sums) {
  for (size_t c = 0; c < chunks; c += per_group) {
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = c; i < std::min(chunks, c + per_group); ++i) {
      const __m256i w = chunk_of<kStorage>(row, i);
      sum = _mm256_add_epi32(sum, times_words(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(w)),
                                              _mm256_cvtepu8_epi16(_mm256_extracti128_si256(w, 1)), a + kChunk * i));
    }
    *sums++ = sum_of(sum);
  }
}

/// Bytes times codes of 16 bits; `chunks` whole ones.
__attribute__((target("avx2"))) void bytes_times_words(const uint8_t* row, const int16_t* a, size_t chunks, size_t per_group,
                                                       int64_t* sums) {
  for (size_t c = 0; c < chunks; c += per_group) {
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = c; i < std::min(chunks, c + per_group); ++i) {
      const __m128i* w = reinterpret_cast<const __m128i*>(row + kChunk * i);
      sum = _mm256_add_epi32(
          sum, times_words(_mm256_cvtepi8_epi16(_mm_loadu_si128(w)), _mm256_cvtepi8_epi16(_mm_loadu_si128(w + 1)), a + kChunk * i));
    }
    *sums++ = sum_of(sum);
  }
}

/// From sums of unsigned codes c to sums of weights: c - 1, or 2 c - 1.
void from_unsigned(const SumPlan& plan, bool one_bit, std::span<int64_t> sums) {
  for (size_t g = 0; g < sums.size(); ++g) sums[g] = (one_bit ? 2 * sums[g] : sums[g]) - plan.code_sums[g];
}

/// Whether it was done.
bool with_avx2(const PackedWeights& weights, size_t r, const Codes& codes, const SumPlan& plan, std::span<int64_t> sums) {
  static const bool have = __builtin_cpu_supports("avx2") != 0;
  const bool whole_groups = sums.size() == 1 || plan.group % kChunk == 0;
  if (!have || !whole_groups) return false;
  const uint8_t* row = weights.row(r);
  const size_t chunks = weights.storage() == WeightStorage::kByte ? codes.count / kChunk : codes.values.size() / kChunk;
  const size_t per_group = sums.size() == 1 ? std::max<size_t>(chunks, 1) : plan.group / kChunk;
  if (weights.storage() == WeightStorage::kByte) {
    if (codes.count % kChunk != 0) return false;
    bytes_times_words(row, codes.values.data(), chunks, per_group, sums.data());
    return true;
  }
  // The padding of a row may begin a group that has no sum.
  const size_t used = std::min(chunks, (codes.count + kChunk - 1) / kChunk);
  if (weights.storage() == WeightStorage::kOneBit) {
    if (codes.bytes.empty())
      bits_times_words<WeightStorage::kOneBit>(row, codes.values.data(), used, per_group, sums.data());
    else
      bits_times_bytes<WeightStorage::kOneBit>(row, codes.bytes.data(), used, per_group, sums.data());
  } else {
    if (codes.bytes.empty())
      bits_times_words<WeightStorage::kTwoBits>(row, codes.values.data(), used, per_group, sums.data());
    else
      bits_times_bytes<WeightStorage::kTwoBits>(row, codes.bytes.data(), used, per_group, sums.data());
  }
  from_unsigned(plan, weights.storage() == WeightStorage::kOneBit, sums);
  return true;
}

#else

bool with_avx2(const PackedWeights&, size_t, const Codes&, const SumPlan&, std::span<int64_t>) {
  return false;
}

#endif

}  // namespace

SumPlan plan_sums(const Codes& codes, size_t group) {
  SumPlan plan;
  plan.group = group == 0 ? std::max<size_t>(codes.count, 1) : group;
  plan.code_sums.assign((codes.count + plan.group - 1) / plan.group, 0);
  for (size_t i = 0; i < codes.count; ++i) plan.code_sums[i / plan.group] += codes.values[i];
  return plan;
}

void row_sums(const PackedWeights& weights, size_t r, const Codes& codes, const SumPlan& plan, std::span<int64_t> sums, SumKernel kernel) {
  assert(codes.count == weights.columns() && sums.size() == plan.groups());
  if (kernel == SumKernel::kDefinition) return definition(weights, r, codes, plan.group, sums);
  if (!with_avx2(weights, r, codes, plan, sums)) by_blocks(weights, r, codes, plan.group, sums);
}

}  // namespace bitgrid::cpu
