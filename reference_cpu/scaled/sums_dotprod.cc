// Sums with the dot products of NEON (Armv8.2): four signed products a lane.
#include "reference_cpu/scaled/sums.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cstring>

#include "ir/vectorised.h"

namespace bitgrid::cpu::sums {

namespace dotprod_kernels {

#define BITGRID_TARGET __attribute__((target("arch=armv8.2-a+dotprod")))
#define BITGRID_INLINE BITGRID_TARGET __attribute__((always_inline)) inline

struct Isa {
  static constexpr size_t kParts = 4, kMostVectors = 4;
  static constexpr bool kInPlace = false, kSignedBytes = true;
  using Vec = int32x4_t;

  BITGRID_INLINE static Vec zero() { return vdupq_n_s32(0); }
  BITGRID_INLINE static Vec load(const uint8_t* p) { return vreinterpretq_s32_u8(vld1q_u8(p)); }
  BITGRID_INLINE static void store(int32_t* p, Vec v) { vst1q_s32(p, v); }
  BITGRID_INLINE static Vec add(Vec a, Vec b) { return vaddq_s32(a, b); }
  BITGRID_INLINE static Vec sub(Vec a, Vec b) { return vsubq_s32(a, b); }
  BITGRID_INLINE static Vec all(int32_t n) { return vdupq_n_s32(n); }
  BITGRID_INLINE static Vec four(const int8_t* p) {
    int32_t n = 0;
    std::memcpy(&n, p, sizeof n);
    return vdupq_n_s32(n);
  }
  template <size_t kBits>
  BITGRID_INLINE static Vec field(Vec v, int k) {
    const uint8x16_t bytes = vreinterpretq_u8_s32(v);
    if constexpr (kBits == 8) return vreinterpretq_s32_u8(veorq_u8(bytes, vdupq_n_u8(128)));
    const uint8x16_t low = vshlq_u8(bytes, vdupq_n_s8(static_cast<int8_t>(-k * static_cast<int>(kBits))));
    return vreinterpretq_s32_u8(vandq_u8(low, vdupq_n_u8((1 << kBits) - 1)));
  }
  template <size_t kBits>
  BITGRID_INLINE static Vec dot(Vec sum, Vec fields, Vec four) {
    return vdotq_s32(sum, vreinterpretq_s8_s32(fields), vreinterpretq_s8_s32(four));
  }
};

#include "reference_cpu/scaled/sums_kernel.inc"

#undef BITGRID_INLINE
#undef BITGRID_TARGET

}  // namespace dotprod_kernels

bool have_dotprod() {
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
}

TileKernel dotprod(WeightStorage storage, size_t vectors) {
  return dotprod_kernels::kernel(storage, vectors);
}

}  // namespace bitgrid::cpu::sums

#endif
