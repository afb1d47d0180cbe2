#include "frontend/checkpoint/fixed.h"

#include <algorithm>

namespace bitgrid::frontend {

int exponent_of(double value) {
  int e = 0;
  std::frexp(value, &e);
  return e;
}

int fixed_fraction(double largest, int bits) {
  return bits - exponent_of(largest);
}

int32_t fixed_value(double v, int fraction, int bits) {
  const double most = std::ldexp(1.0, bits) - 1.0;
  return static_cast<int32_t>(std::clamp(half_up(std::ldexp(v, fraction)), -most, most));
}

Fixed fixed(std::span<const double> values, int bits) {
  double largest = 0.0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  Fixed result;
  result.fraction = fixed_fraction(largest, bits);
  for (const double v : values) result.values.push_back(fixed_value(v, result.fraction, bits));
  return result;
}

}  // namespace bitgrid::frontend
