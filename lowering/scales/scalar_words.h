// How the scalars of ir/scalar.h travel: 16 bits of mantissa, and an exponent in two's complement.
#pragma once

#include <cstdint>

#include "ir/scalar.h"

namespace bitgrid::scales {

inline constexpr uint32_t kMantissaBits = 16, kExponentBits = 12, kScalarWord = kMantissaBits + kExponentBits;

/// One word of kScalarWord bits, the mantissa in the lower bits.
uint64_t scalar_code(const Scalar& a);
Scalar scalar_of_code(uint64_t code);

}  // namespace bitgrid::scales
