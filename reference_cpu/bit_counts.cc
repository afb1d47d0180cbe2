#include "reference_cpu/bit_counts.h"

#include <bit>
#include <cstdlib>
#include <string_view>

#include "ir/vectorised.h"
#if defined(__x86_64__)
#include "reference_cpu/x86_vectors.h"
#endif

namespace bitgrid::cpu {

namespace {

[[gnu::always_inline]] inline int64_t ones_of_and(const uint64_t* a, const uint64_t* b, size_t words) {
  int64_t n = 0;
  for (size_t w = 0; w < words; ++w) n += std::popcount(a[w] & b[w]);
  return n;
}

[[gnu::always_inline]] inline void ones_of_xor(const uint64_t* rows, size_t count, const uint64_t* b, size_t words, int64_t* counts) {
  for (size_t r = 0; r < count; ++r, rows += words) {
    int64_t n = 0;
    for (size_t w = 0; w < words; ++w) n += std::popcount(rows[w] ^ b[w]);
    counts[r] = n;
  }
}

int64_t and_any(const uint64_t* a, const uint64_t* b, size_t words) {
  return ones_of_and(a, b, words);
}
void xor_any(const uint64_t* rows, size_t count, const uint64_t* b, size_t words, int64_t* counts) {
  ones_of_xor(rows, count, b, words, counts);
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) int64_t and_popcnt(const uint64_t* a, const uint64_t* b, size_t words) {
  return ones_of_and(a, b, words);
}
__attribute__((target("popcnt"))) void xor_popcnt(const uint64_t* rows, size_t count, const uint64_t* b, size_t words, int64_t* counts) {
  ones_of_xor(rows, count, b, words, counts);
}

#define BITGRID_VPOPCNT __attribute__((target("avx512f,avx512bw,avx512vpopcntdq")))
constexpr size_t kWords = 8;  // of a vector

/// The first `words` of a vector.
BITGRID_VPOPCNT inline __m512i load(const uint64_t* p, size_t words) {
  return words >= kWords ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi64(static_cast<__mmask8>((1U << words) - 1), p);
}

BITGRID_VPOPCNT int64_t and_vpopcnt(const uint64_t* a, const uint64_t* b, size_t words) {
  __m512i sum = _mm512_setzero_si512();
  for (size_t w = 0; w < words; w += kWords)
    sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_and_si512(load(a + w, words - w), load(b + w, words - w))));
  return _mm512_reduce_add_epi64(sum);
}

/// Lane i of the result is the sum of the lanes of v[i]: each step halves the vectors and the lanes that are still to add.
BITGRID_VPOPCNT inline __m512i sums_of(const __m512i (&v)[8]) {
  __m512i pairs[4], fours[2];
  BITGRID_UNROLL
  for (size_t i = 0; i < 4; ++i)
    pairs[i] = _mm512_add_epi64(_mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]), _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]));
  const __m512i even = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0), odd = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
  BITGRID_UNROLL
  for (size_t i = 0; i < 2; ++i)
    fours[i] = _mm512_add_epi64(_mm512_permutex2var_epi64(pairs[2 * i], even, pairs[2 * i + 1]),
                                _mm512_permutex2var_epi64(pairs[2 * i], odd, pairs[2 * i + 1]));
  return _mm512_add_epi64(_mm512_shuffle_i64x2(fours[0], fours[1], 0x44), _mm512_shuffle_i64x2(fours[0], fours[1], 0xEE));
}

/// Eight rows, so that their counts are added up together. The processor does not foresee eight short streams side by side, so the lines
/// two blocks ahead are asked for here, in their order.
BITGRID_VPOPCNT void xor_eight(const uint64_t* rows, const uint64_t* b, size_t words, int64_t* counts) {
  __m512i sums[8];
  BITGRID_UNROLL
  for (size_t i = 0; i < 8; ++i) sums[i] = _mm512_setzero_si512();
  for (size_t w = 0; w < words; w += kWords) {
    const auto mask = static_cast<__mmask8>(words - w >= kWords ? 0xFFU : (1U << (words - w)) - 1);
    const __m512i own = _mm512_maskz_loadu_epi64(mask, b + w);
    BITGRID_UNROLL
    for (size_t i = 0; i < 8; ++i) {
      _mm_prefetch(reinterpret_cast<const char*>(rows + 16 * words + kWords * (w / kWords * 8 + i)), _MM_HINT_T0);
      const __m512i row = _mm512_maskz_loadu_epi64(mask, rows + i * words + w);
      sums[i] = _mm512_add_epi64(sums[i], _mm512_popcnt_epi64(_mm512_xor_si512(own, row)));
    }
  }
  _mm512_storeu_si512(counts, sums_of(sums));
}

BITGRID_VPOPCNT void xor_vpopcnt(const uint64_t* rows, size_t count, const uint64_t* b, size_t words, int64_t* counts) {
  size_t r = 0;
  for (; r + 8 <= count; r += 8) xor_eight(rows + r * words, b, words, counts + r);
  for (; r < count; ++r) {
    __m512i sum = _mm512_setzero_si512();
    for (size_t w = 0; w < words; w += kWords)
      sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(load(rows + r * words + w, words - w), load(b + w, words - w))));
    counts[r] = _mm512_reduce_add_epi64(sum);
  }
}
#endif

const BitCounts& choose() {
  static const BitCounts any = {"scalar", and_any, xor_any};
  const char* name = std::getenv("BITGRID_CPU");
  const std::string_view wanted = name == nullptr ? "" : name;
  if (wanted == "scalar" || wanted == "definition") return any;
#if defined(__x86_64__)
  static const BitCounts popcnt = {"popcnt", and_popcnt, xor_popcnt}, vpopcnt = {"vpopcnt", and_vpopcnt, xor_vpopcnt};
  if (__builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512bw") && wanted != "avx2") return vpopcnt;
  if (__builtin_cpu_supports("popcnt")) return popcnt;
#endif
  return any;
}

}  // namespace

const BitCounts& bit_counts() {
  static const BitCounts& chosen = choose();
  return chosen;
}

}  // namespace bitgrid::cpu
