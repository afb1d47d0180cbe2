// Vector kernels that are one array each: products, and rows of cells through which one bit of state runs. All take an invocation a
// cycle. Shifts by a common amount are no logic: a port reads the planes from a computed one on (PlaneWindow).
#pragma once

#include <cstdint>

#include "ir/program.h"

namespace bitgrid::scales {

/// a * b, its lowest `outputs` bits (0: all). `offset_result`: in offset binary, where all bits leave.
Kernel product_kernel(const Factor& a, const Factor& b, uint32_t outputs = 0, bool offset_result = false);

/// A number whose highest one is where that of |v| is, for a signed v. Ports: v, and v from plane 1 on.
Kernel length_kernel(uint32_t bits, NumberCode code);
/// |v| of a v in two's complement. Ports: v, and its highest plane, repeated.
Kernel magnitude_kernel(uint32_t bits);
/// max(v, 0) of a v in offset binary. Ports: v, and its highest plane, repeated.
Kernel positive_kernel(uint32_t bits);

/// Offset binary as two's complement, `words` numbers.
Kernel twos_kernel(int words, uint32_t bits);

/// v cut by a shift s to `to` bits, sign included, that is (floor(v / 2^(s - 1)) + 1) / 2 within -(2^(to - 1) - 1) .. 2^(to - 1) - 1,
/// where |v| < 2^(s + to - 1). Two kernels: does it leave that range? Ports: planes s - 1 .. of `to` bits, planes s .. of `to` bits.
Kernel overflow_kernel(uint32_t to);
/// Ports: whether they leave the range, planes s - 1 .. of to + 1 bits.
Kernel cut_kernel(uint32_t to, NumberCode code);
/// The same where it stays in range. Port: planes s - 1 .. of to + 1 bits.
Kernel round_kernel(uint32_t to, NumberCode code);
/// base + the same, of `bits` bits in offset binary. Ports: base, planes s - 1 .. of bits + 1 bits.
Kernel add_rounded_kernel(uint32_t bits);

/// Whether a < b, unsigned.
Kernel less_kernel(uint32_t bits);
/// b if `second` is 1, else a. Ports: second, a, b.
Kernel choose_kernel(uint32_t bits);

/// a + b, a - b in two's complement, a bit wider.
Kernel sum_kernel(uint32_t bits);
Kernel difference_kernel(uint32_t bits);
/// a + b modulo 2^to; a - b * 2^shift modulo 2^to. Each of its own width, unsigned.
Kernel sum_modulo_kernel(uint32_t a_bits, uint32_t b_bits, uint32_t to);
Kernel difference_modulo_kernel(uint32_t a_bits, uint32_t b_bits, uint32_t shift, uint32_t to);
/// a + constant modulo 2^to.
Kernel plus_constant_kernel(uint32_t bits, int64_t constant, uint32_t to);

/// 2^shift, of `bits` bits.
Kernel power_kernel(uint32_t shift_bits, uint32_t bits);
/// 2^(bits - 1 - shift), 0 for larger shifts.
Kernel falling_power_kernel(uint32_t shift_bits, uint32_t bits);
/// -x in two's complement; and -1 - x: the plane from which the product of a number with a mantissa is read, so that its lowest bit is the
/// one to be rounded.
Kernel negative_kernel(uint32_t bits);
Kernel complement_kernel(uint32_t bits);
/// x if `condition` is 1, else 0. Ports: condition, x.
Kernel keep_kernel(uint32_t bits);
/// x + constant + bit, modulo 2^bits. Ports: bit, x.
Kernel plus_bit_kernel(uint32_t bits, int64_t constant);
/// Whether a >= b, and a - b modulo 2^b_bits; unsigned.
Kernel trial_kernel(uint32_t a_bits, uint32_t b_bits);
/// x * 2^new_bits + y modulo 2^bits.
Kernel append_kernel(uint32_t bits, uint32_t new_bits);
/// `bits` words of one bit as one word.
Kernel gather_kernel(int bits);
/// x + 1 of an even x.
Kernel root_trial_kernel(uint32_t bits);
/// -16 - the lowest bit of an exponent: the plane from which a mantissa is read as what its root is taken of.
Kernel root_plane_kernel();
/// x, or 1 if it is 0. Ports: x, whether it is 0.
Kernel at_least_one_kernel(uint32_t bits);
Kernel zero_kernel(uint32_t bits);
/// The lower bits of a number, or 2^bits if it has higher ones: if not `small` and `positive`. Ports: bits, small, positive.
Kernel whole_kernel(uint32_t bits, uint32_t to);
/// A mantissa and an exponent as a word of kScalarWord bits.
Kernel pack_kernel();
/// Whether two words differ.
Kernel differ_kernel(uint32_t bits);
/// A score: `low` (two's complement, kScoreBits) unless `far`, where it is the largest or smallest by `negative`; the smallest code
/// unless `written`. Ports: low, far, negative, written.
Kernel score_kernel();

}  // namespace bitgrid::scales
