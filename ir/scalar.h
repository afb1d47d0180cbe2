// Scalars: positive numbers with 16 significant bits and a binary exponent, and their roundings. docs/numerics.md, "Models with scales", is
// the definition. Every result here is exact up to the stated truncation.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace bitgrid {

/// m * 2^e with 2^15 <= m < 2^16, or m = 0.
struct Scalar {
  int64_t m = 0;
  int64_t e = 0;
  bool operator==(const Scalar&) const = default;
};

inline constexpr int kScalarBits = 16;

/// Returns the number of bits of n >= 0 from its leading one down; 0 for 0.
int bit_length(int64_t n);

/// Returns floor(v / 2^k + 1/2) for k > 0; v * 2^-k for k <= 0; 0 for k > 60.
inline int64_t rounded_shift(int64_t v, int64_t k) {
  if (k > 60) return 0;
  if (k > 0) return ((v >> (k - 1)) + 1) >> 1;
  return v * (int64_t{1} << std::min<int64_t>(-k, 60));
}

/// Returns n * 2^e, n >= 0, truncated to 16 significant bits.
Scalar scalar(int64_t n, int64_t e = 0);
/// Returns a * b, truncated. Products of more factors run from left to right.
Scalar multiply(Scalar a, Scalar b);
/// Returns a / b, truncated. If b has mantissa 0, the mantissa counts as 1.
Scalar divide(Scalar a, Scalar b);
/// Returns the square root, truncated.
Scalar square_root(Scalar a);
/// Returns a * 2^n.
inline Scalar shifted(Scalar a, int64_t n) {
  return {a.m, a.e + n};
}
/// Returns min(floor(a), 2^46).
int64_t whole(Scalar a);
/// The largest magnitude, in bits, of values between the parts of a layer. With this limit, products with 16-bit gains and cosines and sums
/// of rotated heads stay within 64 bits.
inline constexpr int kMostValueBits = 46;
/// Throws Error if a value needs more than kMostValueBits bits, which means that the model's values ran away.
void check_values(std::span<const int64_t> values);
/// `scaled` for operands of any size.
int64_t scaled_any(int64_t v, Scalar a);
/// Returns whether the product of v and the mantissa has less than 62 bits, is shifted to the right, and ends within the limit. Nearly all
/// do.
inline bool scaled_fits(int64_t v, Scalar a) {
  if (a.e > -1 || a.e < -60) return false;
  const int64_t few = int64_t{1} << std::min<int64_t>(kMostValueBits - 1, kMostValueBits - kScalarBits - a.e);
  return v < few && v > -few;
}
/// Returns floor(v * a + 1/2). Throws the same Error if the result needs more bits.
inline int64_t scaled(int64_t v, Scalar a) {
  return scaled_fits(v, a) ? rounded_shift(v * a.m, -a.e) : scaled_any(v, a);
}
/// Replaces each v with scaled(v, a).
void scale_values(std::span<int64_t> values, Scalar a);

/// Returns the shift for codes of `bits` bits, sign included: max(0, bit_length(max |v|) - (bits - 1)).
int block_shift(std::span<const int64_t> values, int bits);
/// Replaces values with codes of `bits` bits that share the shift of `block_shift`, so that a value is about code * 2^shift. Codes are
/// rounded half up and clamped to +-(2^(bits-1) - 1). Returns the shift.
int block_floating_point(std::span<int64_t> values, int bits);

/// For exporters only, which work in floating point: returns `value` >= 0 rounded half up to 16 significant bits.
Scalar constant(double value);

}  // namespace bitgrid
