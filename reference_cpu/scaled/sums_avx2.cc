// Sums with AVX2.
#include "reference_cpu/scaled/sums.h"

#if defined(__x86_64__)

// False alarms of g++ 12 about undefined vectors (GCC bug 105593).
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <algorithm>

namespace bitgrid::cpu::sums {

namespace {

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

/// One row; whether it could be done.
bool row_avx2(const PackedWeights& weights, size_t r, const Codes& codes, const SumPlan& plan, int64_t* out) {
  const bool one = plan.groups() == 1;
  if (!one && plan.group % kChunk != 0) return false;
  const uint8_t* row = weights.row(r);
  if (weights.storage() == WeightStorage::kByte) {
    if (codes.count % kChunk != 0) return false;
    const size_t chunks = codes.count / kChunk;
    bytes_times_words(row, codes.values.data(), chunks, one ? std::max<size_t>(chunks, 1) : plan.group / kChunk, out);
    return true;
  }
  // The padding of a row may begin a group that has no sum.
  const size_t chunks = std::min(codes.values.size() / kChunk, (codes.count + kChunk - 1) / kChunk);
  const size_t per_group = one ? chunks : plan.group / kChunk;
  const bool one_bit = weights.storage() == WeightStorage::kOneBit;
  if (codes.bytes.empty())
    (one_bit ? bits_times_words<WeightStorage::kOneBit> : bits_times_words<WeightStorage::kTwoBits>)(row, codes.values.data(), chunks,
                                                                                                     per_group, out);
  else
    (one_bit ? bits_times_bytes<WeightStorage::kOneBit> : bits_times_bytes<WeightStorage::kTwoBits>)(row, codes.bytes.data(), chunks,
                                                                                                     per_group, out);
  from_unsigned(plan, one_bit, out);
  return true;
}

}  // namespace

bool have_avx2() {
  return __builtin_cpu_supports("avx2") != 0;
}

void avx2(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* out) {
  for (size_t r = begin; r < end; ++r, out += plan.groups())
    if (!row_avx2(weights, r, codes, plan, out)) scalar(weights, r, r + 1, codes, plan, out);
}

}  // namespace bitgrid::cpu::sums

#endif
