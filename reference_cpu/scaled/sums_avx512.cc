// Sums with AVX-512 (BW, VL, VNNI): a vector is one cell of all 16 rows of a tile.
#include "reference_cpu/scaled/sums.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstring>

#include "ir/vectorised.h"
#include "reference_cpu/x86_vectors.h"

namespace bitgrid::cpu::sums {

namespace avx512_kernels {

#define BITGRID_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define BITGRID_INLINE BITGRID_TARGET __attribute__((always_inline)) inline

struct Isa {
  static constexpr size_t kParts = 1, kMostVectors = 16;
  static constexpr bool kInPlace = true, kSignedBytes = false;
  using Vec = __m512i;

  BITGRID_INLINE static Vec zero() { return _mm512_setzero_si512(); }
  BITGRID_INLINE static Vec load(const uint8_t* p) { return _mm512_load_si512(p); }
  BITGRID_INLINE static void store(int32_t* p, Vec v) { _mm512_storeu_si512(p, v); }
  BITGRID_INLINE static Vec add(Vec a, Vec b) { return _mm512_add_epi32(a, b); }
  BITGRID_INLINE static Vec sub(Vec a, Vec b) { return _mm512_sub_epi32(a, b); }
  BITGRID_INLINE static Vec all(int32_t n) { return _mm512_set1_epi32(n); }
  BITGRID_INLINE static Vec arithmetic_shift(Vec v, int n) { return _mm512_srai_epi32(v, n); }
  BITGRID_INLINE static Vec four(const int8_t* p) {
    int32_t n = 0;
    std::memcpy(&n, p, sizeof n);
    return _mm512_set1_epi32(n);
  }
  template <size_t kBits>
  BITGRID_INLINE static Vec field(Vec v, int k) {
    if constexpr (kBits == 8)
      return v;
    else
      return in_place<kBits>(_mm512_srli_epi16(v, k * static_cast<int>(kBits)), 0);
  }
  template <size_t kBits>
  BITGRID_INLINE static Vec in_place(Vec v, int k) {
    if constexpr (kBits == 8)
      return v;
    else
      return _mm512_and_si512(v, _mm512_set1_epi8(static_cast<char>(((1 << kBits) - 1) << (static_cast<int>(kBits) * k))));
  }
  template <size_t kBits>
  BITGRID_INLINE static Vec dot(Vec sum, Vec fields, Vec four) {
    // With the intrinsic g++ 12 copies every sum twice in each step, which takes half as long again.
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(fields), "v"(four));
    return sum;
  }
};

#include "reference_cpu/scaled/sums_kernel.inc"

BITGRID_INLINE __m512i products(__m256i sums, __m256i scales) {
  return _mm512_mul_epi32(_mm512_cvtepi32_epi64(sums), _mm512_cvtepi32_epi64(scales));
}

BITGRID_TARGET void add_groups(const GroupOperands& o, int64_t* y) {
  __m512i low = _mm512_loadu_si512(y), high = _mm512_loadu_si512(y + 8);
  for (size_t g = 0; g < o.groups; ++g) {
    const __m512i sums = _mm512_loadu_si512(o.sums + g * kTileRows);
    const __m512i scales = _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(o.scales + g * kTileRows)));
    const __m128i shift = _mm_cvtsi32_si128(o.shifts == nullptr ? 0 : o.shifts[g]);
    low = _mm512_add_epi64(low, _mm512_sll_epi64(products(_mm512_castsi512_si256(sums), _mm512_castsi512_si256(scales)), shift));
    high =
        _mm512_add_epi64(high, _mm512_sll_epi64(products(_mm512_extracti64x4_epi64(sums, 1), _mm512_extracti64x4_epi64(scales, 1)), shift));
  }
  _mm512_storeu_si512(y, low);
  _mm512_storeu_si512(y + 8, high);
}

#undef BITGRID_INLINE
#undef BITGRID_TARGET

}  // namespace avx512_kernels

bool have_avx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

TileKernel avx512(WeightStorage storage, size_t vectors) {
  return avx512_kernels::kernel(storage, vectors);
}

void add_groups_avx512(const GroupOperands& o, int64_t* y) {
  avx512_kernels::add_groups(o, y);
}

}  // namespace bitgrid::cpu::sums

#endif
