// Rows of packed weights as the bits that stream into kernels.
#pragma once

#include <cstddef>

#include "ir/bits.h"
#include "ir/packed_weights.h"

namespace bitgrid {

/// Writes the codes of rows first .. first + count - 1, in order of the inputs, to rows from `row` on of a matrix, from `column` on. A code
/// is the weight's bit (-1: 0, 1: 1), its value + 2 in two bits (for -1 .. 1), or a byte in two's complement, by the storage; with
/// `planes`, in place of a row of codes as many rows as a code has bits, bit 0 of all codes first.
void copy_weight_rows(const PackedWeights& weights, size_t first, size_t count, bool planes, BitMatrix& to, size_t row, size_t column);

/// Whether weights are stored in two bits each, and none is 2.
bool is_ternary(const PackedWeights& weights);

}  // namespace bitgrid
