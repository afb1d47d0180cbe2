// The serial form of matrices with weights +-1 only: three cells for two weights. Two neighbouring columns x1, x2 enter the array as their
// sum and their difference, made once above it, and every row adds or subtracts one of the two. docs/density.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lowering/mapping/matrix/bit_serial.h"

namespace bitgrid::mapping {

/// The kernel that map_bit_serial would make of `form`, on fewer cells (strategy "sum-difference", the same II). nullopt if the form is not
/// of the kind: one plane a row, weights -1 and 1, columns of equal width whose largest value has all bits set, at least two of them; sums
/// that leave east as they are, or as a sign.
std::optional<MappedKernel> map_sum_difference(const std::string& name, const BitSerialForm& form, uint32_t input_bits);

/// Bounding box and times of map_sum_difference; nullopt where that gives nullopt. Weights that are left out count as -1 or 1.
std::optional<BitSerialSize> sum_difference_size(const BitSerialForm& form);

}  // namespace bitgrid::mapping
