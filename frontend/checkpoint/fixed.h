// Converts floats to integers with a common exponent. The exporters of models with scales share it.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace bitgrid::frontend {

inline double half_up(double v) {
  return std::floor(v + 0.5);
}

/// Returns E with 2^(E-1) <= value < 2^E; 0 for 0.
int exponent_of(double value);

/// Returns f of fixed(r, n): n - E of the largest magnitude.
int fixed_fraction(double largest, int bits);

/// Returns clamp(floor(v 2^f + 1/2), +-(2^bits - 1)).
int32_t fixed_value(double v, int fraction, int bits);

struct Fixed {
  std::vector<int32_t> values;
  int fraction = 0;
};
Fixed fixed(std::span<const double> values, int bits);

}  // namespace bitgrid::frontend
