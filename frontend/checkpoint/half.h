// 16-bit floats, converted exactly: IEEE half precision, and bfloat, the upper half of a float.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace bitgrid::frontend {

/// Every half is a float.
inline float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16, rest = half & 0x7FFFu;
  const uint32_t finite = std::bit_cast<uint32_t>(std::bit_cast<float>(rest << 13) * 0x1p112f);  // the exponent biases differ by 112
  const uint32_t other = 0x7F800000u | rest << 13;                                               // infinity or NaN
  return std::bit_cast<float>(sign | (rest < 0x7C00u ? finite : other));
}

/// Returns the nearest half, or the even one of two. Values that are too large become infinite.
inline uint16_t float_to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000u, rest = bits & 0x7FFFFFFFu;
  uint32_t half = 0;
  if (rest > 0x7F800000u) {
    half = 0x7E00u;
  } else if (rest >= 0x47800000u) {  // 65536
    half = 0x7C00u;
  } else if (rest >= 0x38800000u) {  // 2^-14; a carry out of the mantissa is the next exponent
    half = (rest - 0x38000000u + 0x0FFFu + (rest >> 13 & 1u)) >> 13;
  } else {
    half = static_cast<uint32_t>(std::nearbyint(std::bit_cast<float>(rest) * 0x1p24f));
  }
  return static_cast<uint16_t>(sign | half);
}

inline float bfloat_to_float(uint16_t bfloat) {
  return std::bit_cast<float>(static_cast<uint32_t>(bfloat) << 16);
}

/// Returns the nearest bfloat, or the even one of two.
inline uint16_t float_to_bfloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<uint16_t>(bits >> 16 | 0x40u);
  return static_cast<uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace bitgrid::frontend
