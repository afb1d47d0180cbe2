// The kernels of models with scales that are not matrices: norms, rotary positions, scores, softmax weights, mixes, gates.
// docs/numerics.md, "Models with scales", is the definition, and reference_cpu/scaled computes the same. `words` numbers pass per
// invocation. Signed numbers travel in offset binary (code = value + 2^(bits - 1)), scalars as words of scalar_words.h.
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
inline constexpr uint32_t kEpsBits = 63;
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
/// y = x * gain (bits + kGainBits bits), and the bitwise OR of all |x| and of all |y|.
Kernel gain_kernel(int words, uint32_t bits);
/// These turn several unsigned numbers into one: their bitwise OR; the largest; their sum (bits_of_count wider).
Kernel or_kernel(int words, uint32_t bits);
Kernel maximum_kernel(int words, uint32_t bits);
Kernel total_kernel(int words, uint32_t bits);
/// The sum of `ports` signed numbers, each from its own port.
Kernel signed_total_kernel(int ports, uint32_t bits);
/// The shift that brings magnitudes with this bitwise OR to `keep` bits.
Kernel shift_kernel(uint32_t bits, uint32_t keep);
/// The bitwise OR of the magnitudes.
Kernel magnitude_kernel(int words, uint32_t bits);
/// Values cut by a shift to `to` bits, including the sign.
Kernel cut_kernel(int words, uint32_t bits, uint32_t to);
/// The same with kCutBits, plus their largest magnitude.
Kernel cut_and_maximum_kernel(int words, uint32_t bits);
/// The sum of squares of values cut to kNormBits.
Kernel squares_kernel(int words, uint32_t bits);
/// Computes, from the sum of squares, its shift, eps, the largest magnitude, its shift and the norm's code scale: the unit of the codes,
/// and the reciprocal and shift that make them.
Kernel norm_kernel(uint32_t sum_bits, int code_bits);
/// Codes of `code_bits` from values of kCutBits, a reciprocal and a shift.
Kernel code_kernel(int words, int code_bits);
/// x + zero, each word with its own zero: unsigned sums become signed numbers of `to` bits.
Kernel recentre_kernel(int words, uint32_t bits, uint32_t zero_bits, uint32_t to);
/// a * b * 2^n of scalars; n is signed, with kExponentBits.
Kernel unit_kernel();
/// (x c - y s, y c + x s), with bits + kGainBits + 1 bits.
Kernel turn_kernel(int words, uint32_t bits);
/// floor(x * unit + 1/2), with `to` bits.
Kernel scale_kernel(int words, uint32_t bits, uint32_t to);
/// base + floor(x * unit + 1/2). The result has as many bits as the base.
Kernel add_scaled_kernel(int words, uint32_t base_bits, uint32_t bits);
/// unit * 2^(n + shift) * constant.
Kernel score_unit_kernel();

/// Weights of scores, from their distance to the largest one.
Kernel weight_kernel(int words, const ScaledTables& tables);
/// 1 / sum.
Kernel reciprocal_kernel(uint32_t sum_bits);
/// Weights of values that each have a shift, brought to the largest shift.
Kernel align_kernel(int words);

/// reciprocal * 2^(shift + n).
Kernel mix_unit_kernel(int n);
/// The bitwise OR of the positive gates, and of |up|.
Kernel gate_magnitude_kernel(int words, uint32_t bits);
/// max(gate, 0)^2 * up, cut as the shifts say, and the bitwise OR of the magnitudes.
Kernel relu_squared_kernel(int words, uint32_t bits);
/// eps of the norm after the gated unit, in the unit of its operand.
Kernel gate_eps_kernel();
/// z * scale, with bits + kGainBits bits.
Kernel row_scale_kernel(int words, uint32_t bits);

}  // namespace bitgrid::scales
