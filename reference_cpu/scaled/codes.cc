#include "reference_cpu/scaled/codes.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace bitgrid::cpu {

namespace {

/// Bits of magnitude that values keep before they become codes that share one scale; with groups one less.
constexpr int kNormBits = 16;

struct Absmax {
  int64_t largest = 0;  // of the values cut to kNormBits + 1 bits
  int shift = 0;        // by which they were cut
};

/// Replaces y by codes round(top * y / max |y|) of `bits` bits.
Absmax absmax(std::span<int64_t> y, int bits) {
  Absmax result;
  result.shift = block_floating_point(y, kNormBits + 1);
  for (const int64_t v : y) result.largest = std::max(result.largest, std::abs(v));
  const int64_t top = (int64_t{1} << (bits - 1)) - 1;
  const int k = bit_length(result.largest) + 16 - bits;
  const int64_t reciprocal = (top << k) / std::max<int64_t>(result.largest, 1);
  for (int64_t& v : y) v = rounded_shift(v * reciprocal, k);
  return result;
}

/// Sum of squares of x cut to 16 bits, eps added, as a scalar.
Scalar mean_square(std::span<const int64_t> x, int64_t eps) {
  std::vector<int64_t> b(x.begin(), x.end());
  const int shift = block_floating_point(b, kNormBits);
  int64_t sum = 0;
  for (const int64_t v : b) sum += v * v;
  sum += 2 * shift > 62 ? 0 : eps >> (2 * shift);
  return scalar(std::max<int64_t>(sum, 1), 2 * shift);
}

std::vector<int64_t> times(std::span<const int64_t> x, const std::vector<int32_t>& gain) {
  assert(x.size() == gain.size());
  check_values(x);
  std::vector<int64_t> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] * gain[i];
  return y;
}

/// Eight bits and a power of two for each group of `y`, which is cut to 16 bits first: returns that cut.
int group_codes(std::vector<int64_t>& y, size_t group, std::vector<uint8_t>& shifts) {
  const int cut = block_floating_point(y, kNormBits);
  for (size_t i = 0; i < y.size(); i += group)
    shifts.push_back(static_cast<uint8_t>(block_floating_point(std::span(y).subspan(i, std::min(group, y.size() - i)), 8)));
  return cut;
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
  std::transform(values.begin(), values.end(), codes.values.begin(), [](int64_t v) { return static_cast<int16_t>(v); });
  if (std::all_of(values.begin(), values.end(), [](int64_t v) { return v >= -127 && v <= 127; }))
    codes.bytes.assign(codes.values.begin(), codes.values.end());
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
