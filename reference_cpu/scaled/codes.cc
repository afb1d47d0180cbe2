#include "reference_cpu/scaled/codes.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

#include "ir/vectorised.h"

namespace bitgrid::cpu {

namespace {

/// Bits of magnitude that values keep before they become codes that share one scale; with groups one less.
constexpr int kNormBits = 16;

struct Absmax {
  int64_t largest = 0;  // of the values cut to kNormBits + 1 bits
  int shift = 0;        // by which they were cut
};

BITGRID_VECTORISED_INTEGERS int64_t largest_magnitude(const int64_t* y, size_t count) {
  int64_t largest = 0;
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(y[i]));
  return largest;
}

BITGRID_VECTORISED_INTEGERS void multiply_and_shift(int64_t* y, size_t count, int64_t factor, int shift) {
  for (size_t i = 0; i < count; ++i) y[i] = ((y[i] * factor >> (shift - 1)) + 1) >> 1;
}

/// Replaces y by codes round(top * y / max |y|) of `bits` bits.
Absmax absmax(std::span<int64_t> y, int bits) {
  Absmax result;
  result.shift = block_floating_point(y, kNormBits + 1);
  result.largest = largest_magnitude(y.data(), y.size());
  const int64_t top = (int64_t{1} << (bits - 1)) - 1;
  const int k = bit_length(result.largest) + 16 - bits;
  multiply_and_shift(y.data(), y.size(), (top << k) / std::max<int64_t>(result.largest, 1), k);
  return result;
}

/// Sum of the squares of x cut by a shift, rounded and clamped as block_floating_point does.
BITGRID_VECTORISED_INTEGERS int64_t sum_of_squares(const int64_t* x, size_t count, int shift, int64_t most) {
  int64_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const int64_t v = std::clamp(((x[i] * 2 >> shift) + 1) >> 1, -most, most);
    sum += v * v;
  }
  return sum;
}

/// Sum of squares of x cut to 16 bits, eps added, as a scalar.
Scalar mean_square(std::span<const int64_t> x, int64_t eps) {
  const int shift = block_shift(x, kNormBits);
  int64_t sum = sum_of_squares(x.data(), x.size(), shift, (int64_t{1} << (kNormBits - 1)) - 1);
  sum += 2 * shift > 62 ? 0 : eps >> (2 * shift);
  return scalar(std::max<int64_t>(sum, 1), 2 * shift);
}

BITGRID_VECTORISED_INTEGERS void multiply_each(const int64_t* x, const int32_t* gain, size_t count, int64_t* y) {
  for (size_t i = 0; i < count; ++i) y[i] = x[i] * gain[i];
}

std::vector<int64_t> times(std::span<const int64_t> x, const std::vector<int32_t>& gain) {
  assert(x.size() == gain.size());
  check_values(x);
  std::vector<int64_t> y(x.size());
  multiply_each(x.data(), gain.data(), x.size(), y.data());
  return y;
}

/// Eight bits and a power of two for each group of `y`, which is cut to 16 bits first: returns that cut.
int group_codes(std::vector<int64_t>& y, size_t group, std::vector<uint8_t>& shifts) {
  const int cut = block_floating_point(y, kNormBits);
  for (size_t i = 0; i < y.size(); i += group)
    shifts.push_back(static_cast<uint8_t>(block_floating_point(std::span(y).subspan(i, std::min(group, y.size() - i)), 8)));
  return cut;
}

/// The codes as 16 bits, and whether all fit in a byte with its negative.
BITGRID_VECTORISED_INTEGERS bool narrow(const int64_t* values, size_t count, int16_t* codes) {
  int64_t most = 0;
  for (size_t i = 0; i < count; ++i) {
    most = std::max(most, std::abs(values[i]));
    codes[i] = static_cast<int16_t>(values[i]);
  }
  return most <= 127;
}

BITGRID_VECTORISED_INTEGERS void narrow(const int16_t* codes, size_t count, int8_t* bytes) {
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<int8_t>(codes[i]);
}

}  // namespace

std::vector<int64_t> Codes::expanded() const {
  std::vector<int64_t> out(values.begin(), values.end());
  if (group == 0) return out;
  for (size_t i = 0; i < count; ++i) out[i] *= int64_t{1} << shifts[i / group];
  return out;
}

Codes make_codes(std::span<const int64_t> values, Scalar unit) {
  Codes codes;
  codes.count = values.size();
  codes.unit = unit;
  codes.values.resize(values.size());
  if (narrow(values.data(), values.size(), codes.values.data())) {
    codes.bytes.resize(values.size());
    narrow(codes.values.data(), values.size(), codes.bytes.data());
  }
  return codes;
}

Codes quantise(std::vector<int64_t> x, Scalar unit, size_t group, const Scalar& one_over_127) {
  if (group == 0) {
    const Absmax a = absmax(x, 8);
    return make_codes(x, multiply(multiply(scalar(a.largest, a.shift), one_over_127), unit));
  }
  std::vector<uint8_t> shifts;
  const int cut = group_codes(x, group, shifts);
  Codes codes = make_codes(x, multiply(scalar(1, cut), unit));
  codes.group = group;
  codes.shifts = std::move(shifts);
  return codes;
}

Codes normalise(std::span<const int64_t> x, const Norm& norm, int64_t eps, size_t group) {
  std::vector<int64_t> y = times(x, norm.gain.values);
  const Scalar rms = square_root(mean_square(x, eps));
  if (group == 0) {
    const Absmax a = absmax(y, norm.code_bits);
    return make_codes(y, divide(multiply(scalar(a.largest, a.shift), norm.code_scale), rms));
  }
  std::vector<uint8_t> shifts;
  const int cut = group_codes(y, group, shifts);
  Codes codes = make_codes(y, divide(multiply(shifted(scalar(1, cut), -norm.gain.fraction), norm.root_width), rms));
  codes.group = group;
  codes.shifts = std::move(shifts);
  return codes;
}

Scalar normalise_head(std::span<int64_t> x, const Norm& norm, Scalar unit) {
  const int shift = block_floating_point(x, kNormBits);
  const Scalar u = shifted(unit, shift);
  int64_t sum = whole(divide(norm.eps, multiply(u, u)));
  for (size_t i = 0; i < x.size(); ++i) {
    sum += x[i] * x[i];
    x[i] *= norm.gain.values[i];
  }
  return shifted(divide(norm.root_width, square_root(scalar(std::max<int64_t>(sum, 1)))), -norm.gain.fraction);
}

std::vector<int64_t> with_gain(std::vector<int64_t> x, const FixedVector& gain) {
  return times(x, gain.values);
}

}  // namespace bitgrid::cpu
