// Sums with AVX2, whose products of bytes are added in pairs to 16 bits, and with AVX-VNNI, which adds four to 32 bits.
#include "reference_cpu/scaled/sums.h"

#if defined(__x86_64__)

#include <cpuid.h>

#include <algorithm>
#include <cstring>

#include "ir/vectorised.h"
#include "reference_cpu/x86_vectors.h"

namespace bitgrid::cpu::sums {

/// What both have in common.
#define BITGRID_INLINE __attribute__((target("avx2"), always_inline)) inline
struct Avx2Vectors {
  static constexpr size_t kParts = 2, kMostVectors = 4;
  static constexpr bool kInPlace = false, kSignedBytes = false;
  using Vec = __m256i;

  BITGRID_INLINE static Vec zero() { return _mm256_setzero_si256(); }
  BITGRID_INLINE static Vec load(const uint8_t* p) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(p)); }
  BITGRID_INLINE static void store(int32_t* p, Vec v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  BITGRID_INLINE static Vec add(Vec a, Vec b) { return _mm256_add_epi32(a, b); }
  BITGRID_INLINE static Vec sub(Vec a, Vec b) { return _mm256_sub_epi32(a, b); }
  BITGRID_INLINE static Vec all(int32_t n) { return _mm256_set1_epi32(n); }
  BITGRID_INLINE static Vec four(const int8_t* p) {
    int32_t n = 0;
    std::memcpy(&n, p, sizeof n);
    return _mm256_set1_epi32(n);
  }
  template <size_t kBits>
  BITGRID_INLINE static Vec field(Vec v, int k) {
    if constexpr (kBits == 8)
      return v;
    else
      return _mm256_and_si256(_mm256_srli_epi16(v, k * static_cast<int>(kBits)), _mm256_set1_epi8((1 << kBits) - 1));
  }
};
#undef BITGRID_INLINE

namespace avx2_kernels {

#define BITGRID_TARGET __attribute__((target("avx2")))
#define BITGRID_INLINE BITGRID_TARGET __attribute__((always_inline)) inline

struct Isa : Avx2Vectors {
  /// Bytes are multiplied by their halves: products of whole ones do not fit in 16 bits.
  template <size_t kBits>
  BITGRID_INLINE static Vec dot(Vec sum, Vec fields, Vec four) {
    if constexpr (kBits != 8) return _mm256_add_epi32(sum, products(fields, four));
    const Vec half = _mm256_set1_epi8(15);
    const Vec high = products(_mm256_and_si256(_mm256_srli_epi16(fields, 4), half), four);
    return _mm256_add_epi32(_mm256_add_epi32(sum, products(_mm256_and_si256(fields, half), four)), _mm256_slli_epi32(high, 4));
  }

 private:
  BITGRID_INLINE static Vec products(Vec fields, Vec four) {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(fields, four), _mm256_set1_epi16(1));
  }
};

#include "reference_cpu/scaled/sums_kernel.inc"

BITGRID_INLINE __m128i eight(const int16_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

/// Eight groups of the scales of 16 rows.
BITGRID_INLINE void transpose(const int16_t* scales, size_t groups, int16_t* out) {
  __m256i v[8];  // rows r and, in the upper half, r + 8
  for (size_t r = 0; r < 8; ++r) v[r] = _mm256_set_m128i(eight(scales + (r + 8) * groups), eight(scales + r * groups));
  __m256i pairs[8], fours[8];
  for (size_t r = 0; r < 4; ++r) {
    pairs[2 * r] = _mm256_unpacklo_epi16(v[2 * r], v[2 * r + 1]);
    pairs[2 * r + 1] = _mm256_unpackhi_epi16(v[2 * r], v[2 * r + 1]);
  }
  for (size_t h = 0; h < 2; ++h) {
    for (size_t r = 0; r < 2; ++r) {
      fours[4 * r + 2 * h] = _mm256_unpacklo_epi32(pairs[4 * r + h], pairs[4 * r + 2 + h]);
      fours[4 * r + 2 * h + 1] = _mm256_unpackhi_epi32(pairs[4 * r + h], pairs[4 * r + 2 + h]);
    }
  }
  for (size_t q = 0; q < 4; ++q) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 2 * q * kTileRows), _mm256_unpacklo_epi64(fours[q], fours[4 + q]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (2 * q + 1) * kTileRows), _mm256_unpackhi_epi64(fours[q], fours[4 + q]));
  }
}

BITGRID_TARGET void by_group(const int16_t* scales, size_t groups, int16_t* out) {
  size_t g = 0;
  for (; g + 8 <= groups; g += 8) transpose(scales + g, groups, out + g * kTileRows);
  for (; g < groups; ++g)
    for (size_t r = 0; r < kTileRows; ++r) out[g * kTileRows + r] = scales[r * groups + g];
}

#undef BITGRID_INLINE
#undef BITGRID_TARGET

}  // namespace avx2_kernels

namespace avxvnni_kernels {

#define BITGRID_TARGET __attribute__((target("avx2,avxvnni")))
#define BITGRID_INLINE BITGRID_TARGET __attribute__((always_inline)) inline

struct Isa : Avx2Vectors {
  template <size_t kBits>
  BITGRID_INLINE static Vec dot(Vec sum, Vec fields, Vec four) {
    return _mm256_dpbusd_avx_epi32(sum, fields, four);
  }
};

#include "reference_cpu/scaled/sums_kernel.inc"

#undef BITGRID_INLINE
#undef BITGRID_TARGET

}  // namespace avxvnni_kernels

bool have_avx2() {
  return __builtin_cpu_supports("avx2") != 0;
}

TileKernel avx2(WeightStorage storage, size_t vectors) {
  return avx2_kernels::kernel(storage, vectors);
}

void by_group_avx2(const int16_t* scales, size_t groups, int16_t* out) {
  avx2_kernels::by_group(scales, groups, out);
}

// Neither compiler's __builtin_cpu_supports knows it.
bool have_avxvnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return have_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1) != 0;
}

TileKernel avxvnni(WeightStorage storage, size_t vectors) {
  return avxvnni_kernels::kernel(storage, vectors);
}

}  // namespace bitgrid::cpu::sums

#endif
