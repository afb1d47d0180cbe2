#include "ir/scalar.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <string>

#include "ir/error.h"
#include "ir/vectorised.h"

namespace bitgrid {

namespace {

__extension__ using Wide = __int128;

[[noreturn]] void fail_for_size() {
  throw Error(
      "arithmetic of the model",
      "a value needs more than " + std::to_string(kMostValueBits) + " bits: the scales of its weights make values grow without limit",
      "check the checkpoint's scales (`bitgrid inspect`)");
}

/// floor(sqrt(n)), 0 <= n < 2^52.
int64_t integer_root(int64_t n) {
  auto r = static_cast<int64_t>(std::sqrt(static_cast<double>(n)));
  while (r * r > n) --r;
  while ((r + 1) * (r + 1) <= n) ++r;
  return r;
}

/// A number whose leading one is that of the largest |v|; the second: of the largest v and -v - 1.
BITGRID_VECTORISED_INTEGERS uint64_t any_magnitude(const int64_t* values, size_t count) {
  int64_t any = 0;
  for (size_t i = 0; i < count; ++i) any |= std::abs(values[i]);
  return static_cast<uint64_t>(any);
}

BITGRID_VECTORISED_INTEGERS uint64_t any_bit(const int64_t* values, size_t count) {
  int64_t any = 0;
  for (size_t i = 0; i < count; ++i) any |= values[i] < 0 ? ~values[i] : values[i];
  return static_cast<uint64_t>(any);
}

/// v * m / 2^shift rounded half up, for products of 62 bits and shift > 0.
BITGRID_VECTORISED_INTEGERS void multiply_and_shift(int64_t* values, size_t count, int64_t m, int64_t shift) {
  for (size_t i = 0; i < count; ++i) values[i] = ((values[i] * m >> (shift - 1)) + 1) >> 1;
}

BITGRID_VECTORISED_INTEGERS void shift_and_clamp(int64_t* values, size_t count, int shift, int64_t most) {
  for (size_t i = 0; i < count; ++i) values[i] = std::clamp(((values[i] >> (shift - 1)) + 1) >> 1, -most, most);
}

}  // namespace

int bit_length(int64_t n) {
  return static_cast<int>(std::bit_width(static_cast<uint64_t>(n)));
}

Scalar scalar(int64_t n, int64_t e) {
  if (n == 0) return {};
  const int s = bit_length(n) - kScalarBits;
  return {s > 0 ? n >> s : n << -s, e + s};
}

Scalar multiply(Scalar a, Scalar b) {
  return scalar(a.m * b.m, a.e + b.e);
}

Scalar divide(Scalar a, Scalar b) {
  return scalar((a.m << kScalarBits) / std::max<int64_t>(b.m, 1), a.e - b.e - kScalarBits);
}

Scalar square_root(Scalar a) {
  const int64_t k = kScalarBits + (a.e & 1);
  return scalar(integer_root(a.m << k), (a.e - k) >> 1);
}

int64_t whole(Scalar a) {
  constexpr int kMost = 46;
  if (a.e >= kMost) return a.m == 0 ? 0 : int64_t{1} << kMost;
  if (a.e >= 0) return std::min(a.m << a.e, int64_t{1} << kMost);
  return a.e < -62 ? 0 : a.m >> -a.e;
}

void check_values(std::span<const int64_t> values) {
  if (std::bit_width(any_bit(values.data(), values.size())) > kMostValueBits) fail_for_size();
}

int64_t scaled_any(int64_t v, Scalar a) {
  const Wide product = static_cast<Wide>(v) * a.m;
  if (product == 0 || -a.e > 60) return 0;
  constexpr Wide kMost = Wide{1} << kMostValueBits;
  Wide result = 0;
  if (a.e < 0)
    result = ((product >> (-a.e - 1)) + 1) >> 1;
  else
    result = a.e >= kMostValueBits ? kMost : product * (Wide{1} << a.e);
  if (result >= kMost || result <= -kMost) fail_for_size();
  return static_cast<int64_t>(result);
}

void scale_values(std::span<int64_t> values, Scalar a) {
  if (scaled_fits(static_cast<int64_t>(any_magnitude(values.data(), values.size())), a)) {
    multiply_and_shift(values.data(), values.size(), a.m, -a.e);
  } else {
    for (int64_t& v : values) v = scaled(v, a);
  }
}

int block_shift(std::span<const int64_t> values, int bits) {
  return std::max(0, static_cast<int>(std::bit_width(any_magnitude(values.data(), values.size()))) - (bits - 1));
}

int block_floating_point(std::span<int64_t> values, int bits) {
  const int shift = block_shift(values, bits);
  if (shift != 0) shift_and_clamp(values.data(), values.size(), shift, (int64_t{1} << (bits - 1)) - 1);
  return shift;
}

Scalar constant(double value) {
  if (value == 0.0) return {};
  int e = 0;
  const double fraction = std::frexp(value, &e);
  const auto m = static_cast<int64_t>(std::floor(std::ldexp(fraction, kScalarBits) + 0.5));
  if (m == int64_t{1} << kScalarBits) return {m >> 1, e - kScalarBits + 1};
  return {m, e - kScalarBits};
}

}  // namespace bitgrid
