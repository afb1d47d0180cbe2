// Vectors as codes with scales, which linear maps read. docs/numerics.md, "Models with scales".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/scaled_model.h"

namespace bitgrid::cpu {

/// value[i] = codes[i] * 2^shifts[i / group] * unit. Without groups the shift is 0.
struct Codes {
  std::vector<int16_t> values;
  std::vector<int8_t> bytes;  // the same if all fit in a byte, otherwise empty
  size_t count = 0;
  size_t group = 0;             // 0: none
  std::vector<uint8_t> shifts;  // [count / group]
  Scalar unit;

  /// Returns codes[i] * 2^shift, which traces show.
  std::vector<int64_t> expanded() const;
};

/// Makes codes of whole numbers, without groups.
Codes make_codes(std::span<const int64_t> values, Scalar unit);

/// Returns the codes of x times `unit`. With `group` 0 they have `bits` bits and one scale (absmax), otherwise 8 bits and a power of two
/// per group.
Codes quantise(std::vector<int64_t> x, Scalar unit, size_t group, const Scalar& one_over_127);

/// Returns the codes of the norm of x. `eps` is n eps in the square of the unit of x.
Codes normalise(std::span<const int64_t> x, const Norm& norm, int64_t eps, size_t group);

/// Applies the norm of one head, before the rotation: replaces x with integers and returns their unit. `unit` is that of x.
Scalar normalise_head(std::span<int64_t> x, const Norm& norm, Scalar unit);

/// Multiplies x by a gain, without a norm.
std::vector<int64_t> with_gain(std::vector<int64_t> x, const FixedVector& gain);

}  // namespace bitgrid::cpu
