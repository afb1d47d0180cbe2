#include "reference_cpu/bit_counts.h"

#include <bit>
#include <cstdlib>
#include <string_view>

#include "ir/vectorised.h"

namespace bitgrid::cpu {

namespace {

[[gnu::always_inline]] inline int64_t ones_of_and(const uint64_t* a, const uint64_t* b, size_t words) {
  int64_t n = 0;
  for (size_t w = 0; w < words; ++w) n += std::popcount(a[w] & b[w]);
  return n;
}

[[gnu::always_inline]] inline int64_t ones_of_xor(const uint64_t* a, const uint64_t* b, size_t words) {
  int64_t n = 0;
  for (size_t w = 0; w < words; ++w) n += std::popcount(a[w] ^ b[w]);
  return n;
}

int64_t and_any(const uint64_t* a, const uint64_t* b, size_t words) {
  return ones_of_and(a, b, words);
}
int64_t xor_any(const uint64_t* a, const uint64_t* b, size_t words) {
  return ones_of_xor(a, b, words);
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) int64_t and_popcnt(const uint64_t* a, const uint64_t* b, size_t words) {
  return ones_of_and(a, b, words);
}
__attribute__((target("popcnt"))) int64_t xor_popcnt(const uint64_t* a, const uint64_t* b, size_t words) {
  return ones_of_xor(a, b, words);
}
// clang knows no width that functions prefer.
#if defined(__clang__)
#define BITGRID_VPOPCNT __attribute__((target("avx512f,avx512bw,avx512vpopcntdq,popcnt")))
#else
#define BITGRID_VPOPCNT BITGRID_VECTORISED __attribute__((target("avx512f,avx512bw,avx512vpopcntdq,popcnt,prefer-vector-width=512")))
#endif
BITGRID_VPOPCNT int64_t and_vpopcnt(const uint64_t* a, const uint64_t* b, size_t words) {
  return ones_of_and(a, b, words);
}
BITGRID_VPOPCNT int64_t xor_vpopcnt(const uint64_t* a, const uint64_t* b, size_t words) {
  return ones_of_xor(a, b, words);
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
