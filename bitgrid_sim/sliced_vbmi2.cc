// The inner loops of SlicedGrid with AVX-512 VBMI2, which shifts two words as one.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "bitgrid_sim/sliced.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vbmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vbmi2")
#endif
#include "bitgrid_sim/sliced_blocks.h"

namespace bitgrid::sim {
namespace {

typedef uint64_t Vector __attribute__((vector_size(64)));

struct FunnelShift {
  [[gnu::always_inline]] static void load(Vector& v, const uint64_t* p, unsigned shift) {
    const __m512i low = _mm512_loadu_si512(p), high = _mm512_loadu_si512(p + 1);
    v = reinterpret_cast<Vector>(_mm512_shrdv_epi64(low, high, _mm512_set1_epi64(shift)));
  }
};

}  // namespace

void step_vbmi2(const SlicedGrid::Phase& phase, const SlicedGrid::Active* active, size_t count) {
  step_blocks<Vector, FunnelShift>(phase, active, count);
}

}  // namespace bitgrid::sim
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
