// Widths of the numbers between the matrices of models with scales, and the kernels that collect several numbers or have no regular
// array; row_kernels.h has the others. docs/numerics.md, "Models with scales", is the definition. `words` numbers pass per invocation.
#pragma once

#include <cstdint>
#include <string>

#include "ir/program.h"
#include "ir/scaled_model.h"

namespace bitgrid::scales {

inline constexpr uint32_t kShiftBits = 6;  // of a common shift
inline constexpr uint32_t kGainBits = 16;  // of gains, cosines and row scales, including the sign
inline constexpr uint32_t kNormBits = 16;  // of values whose squares are summed, including the sign
inline constexpr uint32_t kCutBits = 17;   // of values before they become codes
inline constexpr uint32_t kEpsBits = 62;
inline constexpr uint32_t kScoreBits = 16;    // the smallest score marks a slot that was never written
inline constexpr uint32_t kWeightBits = 13;   // of softmax weights
inline constexpr uint32_t kGateBits = 15;     // of gate and up inside the gated unit
inline constexpr uint32_t kProductBits = 43;  // of their product
inline constexpr uint32_t kHiddenBits = 25;   // of what the following norm reads
inline constexpr uint32_t kReciprocalBits = 16, kCodeShiftBits = 5;

/// Returns how many bits wider a sum of `count` numbers is.
uint32_t bits_of_count(int count);

/// y = x, for rows of tables.
Kernel copy_kernel(int words, uint32_t bits);
/// One unsigned number of several: their bitwise or; their sum (bits_of_count wider).
Kernel or_kernel(int words, uint32_t bits);
Kernel total_kernel(int words, uint32_t bits);
/// The number of bits from the leading one down.
Kernel bit_length_kernel(uint32_t bits);
/// The shift that brings magnitudes with this bitwise or to `keep` bits.
Kernel shift_kernel(uint32_t bits, uint32_t keep);

/// The weight of a score, from its distance to the largest one.
Kernel softmax_weight_kernel(const ScaledTables& tables);

}  // namespace bitgrid::scales
