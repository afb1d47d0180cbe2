// The serial form of matrices with weights +-1 only: three cells for two weights. Two adjacent columns x1, x2 enter the array as their sum
// and their difference, formed once above it, and every row adds or subtracts one of the two. See docs/density.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lowering/mapping/matrix/bit_serial.h"

namespace bitgrid::mapping {

/// Makes the kernel that map_bit_serial would make of `form`, with fewer cells (strategy "sum-difference", the same II). Returns nullopt
/// unless the form has one plane per row, only weights -1 and 1, at least two columns, all of equal width and with a largest value whose
/// bits are all set, and sums that leave east unchanged or as a sign.
std::optional<MappedKernel> map_sum_difference(const std::string& name, const BitSerialForm& form, uint32_t input_bits);

/// Returns bounding box and times of map_sum_difference, or nullopt in the same cases. Weights that are left out count as -1 or 1.
std::optional<BitSerialSize> sum_difference_size(const BitSerialForm& form);

}  // namespace bitgrid::mapping
