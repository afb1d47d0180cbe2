// Turns rows of packed weights into the bits that stream into kernels.
#pragma once

#include <cstddef>

#include "ir/bits.h"
#include "ir/packed_weights.h"

namespace bitgrid {

/// Writes the codes of rows first .. first + count - 1, in order of the inputs, to a matrix, starting at row `row` and column `column`.
/// Depending on the storage, a code is the weight's bit (-1: 0, 1: 1), its value + 2 in two bits (for -1 .. 1), or a byte in two's
/// complement. With `planes`, a row of codes becomes one row per code bit, with bit 0 of all codes first.
void copy_weight_rows(const PackedWeights& weights, size_t first, size_t count, bool planes, BitMatrix& to, size_t row, size_t column);

/// Returns whether weights are stored in two bits each and none is 2.
bool is_ternary(const PackedWeights& weights);

}  // namespace bitgrid
