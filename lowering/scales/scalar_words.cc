#include "lowering/scales/scalar_words.h"

#include <cassert>

namespace bitgrid::scales {
namespace {

constexpr int64_t kMostExponent = (int64_t{1} << (kExponentBits - 1)) - 1;

}  // namespace

uint64_t scalar_code(const Scalar& a) {
  assert(a.e >= -kMostExponent && a.e <= kMostExponent);
  return static_cast<uint64_t>(a.m) | (static_cast<uint64_t>(a.e) & ((uint64_t{1} << kExponentBits) - 1)) << kMantissaBits;
}

Scalar scalar_of_code(uint64_t code) {
  const auto e = static_cast<int64_t>(code >> kMantissaBits);
  return {static_cast<int64_t>(code & ((uint64_t{1} << kMantissaBits) - 1)), e > kMostExponent ? e - 2 * (kMostExponent + 1) : e};
}

}  // namespace bitgrid::scales
