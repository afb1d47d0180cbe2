// The kernels around streamed matrices, which make their tables and take their sums. docs/streaming.md describes the arrays themselves.
#pragma once

#include <cstdint>

#include "ir/program.h"
#include "lowering/mapping/streamed/streamed_matrix.h"

namespace bitgrid::scales {

/// For codes of signed x in offset binary (all but the smallest) and ternary weights.
mapping::StreamedShape ternary_shape(int inputs, uint32_t bits);
/// For unsigned codes and one-bit weights.
mapping::StreamedShape one_bit_shape(int inputs, uint32_t bits);

/// Makes the words of ternary_shape's tables, two per code.
Kernel ternary_table_kernel(int words, uint32_t bits);
/// Makes the words of one_bit_shape's tables, three for each two codes.
Kernel pair_table_kernel(int pairs, uint32_t bits);

/// The sum of weights times values from that of weights times their codes of 8 bits, and the sum of the weights; `to` bits.
Kernel mix_kernel(uint32_t bits, uint32_t sum_bits, uint32_t to);

}  // namespace bitgrid::scales
