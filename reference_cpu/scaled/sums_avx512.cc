// Sums with AVX-512 (BW, VL, VNNI): bit planes of weights are masks of the codes; vpdpbusd adds four products of bytes at once.
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
#include <cstring>

namespace bitgrid::cpu::sums {

namespace {

#define BITGRID_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

constexpr size_t kStep = 64;  // codes of one vector

/// Bit 8 m + k of a mask is bit k of byte m: the codes in that order. A block of one-bit weights is two masks.
void arrange_for_masks(const Codes& codes, std::vector<int8_t>& out) {
  out.resize(codes.bytes.size());
  for (size_t block = 0; block < out.size(); block += kPackedBlock)
    for (size_t half = 0; half < 2; ++half)
      for (size_t m = 0; m < 8; ++m)
        for (size_t k = 0; k < 8; ++k) out[block + kStep * half + 8 * m + k] = codes.bytes[block + 16 * k + 8 * half + m];
}

/// Two blocks of two-bit weights are one vector: its field k has inputs 32 k .. of the first and of the second.
void arrange_for_fields(const Codes& codes, std::vector<int8_t>& out) {
  const size_t blocks = codes.bytes.size() / kPackedBlock;
  out.assign((blocks + 1) / 2 * 2 * kPackedBlock, 0);
  for (size_t b = 0; b < blocks; ++b)
    for (size_t k = 0; k < 4; ++k)
      std::memcpy(out.data() + b / 2 * 2 * kPackedBlock + kStep * k + 32 * (b % 2), codes.bytes.data() + b * kPackedBlock + 32 * k, 32);
}

BITGRID_AVX512 inline __m512i load(const void* p) {
  return _mm512_loadu_si512(p);
}

/// The sum of the codes whose weight is 1, of `blocks` blocks.
BITGRID_AVX512 inline __m512i add_masked(__m512i sum, const uint8_t* row, const int8_t* a, size_t blocks) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i other = _mm512_setzero_si512();
  for (size_t b = 0; b < blocks; ++b) {
    uint64_t masks[2];
    std::memcpy(masks, row + 16 * b, sizeof masks);
    sum = _mm512_dpbusd_epi32(sum, ones, _mm512_maskz_loadu_epi8(masks[0], a + kPackedBlock * b));
    other = _mm512_dpbusd_epi32(other, ones, _mm512_maskz_loadu_epi8(masks[1], a + kPackedBlock * b + kStep));
  }
  return _mm512_add_epi32(sum, other);
}

BITGRID_AVX512 void one_bit_rows(const PackedWeights& weights, size_t begin, size_t end, const Codes&, const SumPlan& plan, int64_t* out) {
  const size_t blocks = plan.arranged.size() / kPackedBlock;
  const size_t per_group = plan.groups() == 1 ? blocks : plan.group / kPackedBlock;
  for (size_t r = begin; r < end; ++r, out += plan.groups()) {
    const uint8_t* row = weights.row(r);
    for (size_t g = 0; g < plan.groups(); ++g) {
      const size_t first = g * per_group, count = std::min(per_group, blocks - first);
      out[g] =
          _mm512_reduce_add_epi32(add_masked(_mm512_setzero_si512(), row + 16 * first, plan.arranged.data() + kPackedBlock * first, count));
    }
    from_unsigned(plan, true, out);
  }
}

/// Adds the products of one vector of fields.
BITGRID_AVX512 inline void add_fields(__m512i (&sums)[4], __m512i weights, const int8_t* a) {
  const __m512i three = _mm512_set1_epi8(3);
  sums[0] = _mm512_dpbusd_epi32(sums[0], _mm512_and_si512(weights, three), load(a));
  sums[1] = _mm512_dpbusd_epi32(sums[1], _mm512_and_si512(_mm512_srli_epi16(weights, 2), three), load(a + kStep));
  sums[2] = _mm512_dpbusd_epi32(sums[2], _mm512_and_si512(_mm512_srli_epi16(weights, 4), three), load(a + 2 * kStep));
  sums[3] = _mm512_dpbusd_epi32(sums[3], _mm512_and_si512(_mm512_srli_epi16(weights, 6), three), load(a + 3 * kStep));
}

BITGRID_AVX512 void two_bit_rows(const PackedWeights& weights, size_t begin, size_t end, const Codes&, const SumPlan& plan, int64_t* out) {
  const size_t bytes = weights.row_bytes(), pairs = bytes / kStep;
  for (size_t r = begin; r < end; ++r, ++out) {
    const uint8_t* row = weights.row(r);
    __m512i sums[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    for (size_t p = 0; p < pairs; ++p) add_fields(sums, load(row + kStep * p), plan.arranged.data() + 4 * kStep * p);
    if (bytes % kStep != 0)
      add_fields(sums, _mm512_maskz_loadu_epi8(0xFFFFFFFFU, row + kStep * pairs), plan.arranged.data() + 4 * kStep * pairs);
    *out = _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3])));
    from_unsigned(plan, false, out);
  }
}

/// Bytes times codes of 16 bits, one sum a row: the head.
BITGRID_AVX512 void byte_rows(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, int64_t* out) {
  constexpr size_t kWords = 32;
  const size_t steps = codes.count / kWords, rest = codes.count % kWords;
  const auto tail = static_cast<__mmask32>((uint64_t{1} << rest) - 1);
  for (size_t r = begin; r < end; ++r, ++out) {
    const uint8_t* row = weights.row(r);
    __m512i sum = _mm512_setzero_si512(), other = sum;
    size_t i = 0;
    const auto word = [&](size_t at) __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) {
      return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + kWords * at)));
    };
    for (; i + 2 <= steps; i += 2) {
      sum = _mm512_dpwssd_epi32(sum, word(i), load(codes.values.data() + kWords * i));
      other = _mm512_dpwssd_epi32(other, word(i + 1), load(codes.values.data() + kWords * (i + 1)));
    }
    for (; i < steps; ++i) sum = _mm512_dpwssd_epi32(sum, word(i), load(codes.values.data() + kWords * i));
    if (rest != 0)
      sum = _mm512_dpwssd_epi32(sum, _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(tail, row + kWords * i)),
                                _mm512_maskz_loadu_epi16(tail, codes.values.data() + kWords * i));
    *out = _mm512_reduce_add_epi32(_mm512_add_epi32(sum, other));
  }
}

}  // namespace

bool have_avx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

void arrange_avx512(const Codes& codes, WeightStorage storage, SumPlan& plan) {
  if (codes.bytes.empty()) return;
  if (storage == WeightStorage::kOneBit && (plan.groups() == 1 || plan.group % kPackedBlock == 0)) arrange_for_masks(codes, plan.arranged);
  if (storage == WeightStorage::kTwoBits && plan.groups() == 1) arrange_for_fields(codes, plan.arranged);
}

void avx512(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* out) {
  if (weights.storage() == WeightStorage::kByte && plan.groups() == 1) return byte_rows(weights, begin, end, codes, out);
  if (plan.arranged.empty()) return avx2(weights, begin, end, codes, plan, out);
  if (weights.storage() == WeightStorage::kOneBit) return one_bit_rows(weights, begin, end, codes, plan, out);
  two_bit_rows(weights, begin, end, codes, plan, out);
}

#undef BITGRID_AVX512

}  // namespace bitgrid::cpu::sums

#endif
