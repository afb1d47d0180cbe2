// Signed and unsigned numbers of any width as nodes of a Dag: the operations that vector kernels are made of. A signed number is in two's
// complement. Every function states the width of its result, in which the exact value fits, unless it says otherwise.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/dag.h"

namespace bitgrid::scales {

uint32_t width_of(const Dag& dag, NodeId a);
/// Bits that a count from 0 to `most` takes.
uint32_t bits_for(uint64_t most);

/// A constant modulo 2^width.
NodeId number(Dag& dag, uint32_t width, int64_t value);
NodeId bit_of(Dag& dag, NodeId a, uint32_t bit);
/// The sign of a signed number: its highest bit.
NodeId sign_of(Dag& dag, NodeId a);
/// Cuts to the lower `width` bits, or extends with zeros, or with the sign.
NodeId unsigned_as(Dag& dag, NodeId a, uint32_t width);
NodeId signed_as(Dag& dag, NodeId a, uint32_t width);
/// `bit` (1 bit) in all places.
NodeId spread(Dag& dag, NodeId bit, uint32_t width);

NodeId select(Dag& dag, NodeId condition, NodeId if_one, NodeId if_zero);
NodeId is_zero(Dag& dag, NodeId a);
/// Unsigned.
NodeId maximum(Dag& dag, NodeId a, NodeId b);
/// |a| of a signed number, unsigned, as wide.
NodeId magnitude(Dag& dag, NodeId a);
/// -a of a signed number, as wide; of the smallest number itself.
NodeId negative(Dag& dag, NodeId a);

/// a + b, a - b of signed numbers: one bit wider than the wider one.
NodeId signed_sum(Dag& dag, NodeId a, NodeId b);
NodeId signed_difference(Dag& dag, NodeId a, NodeId b);
/// The sum of unsigned numbers of one width, in a tree: as many bits wider as the count needs.
NodeId unsigned_total(Dag& dag, std::vector<NodeId> words);
/// The same of signed numbers.
NodeId signed_total(Dag& dag, std::vector<NodeId> words);

/// Signed a times unsigned b; signed a times signed b: as wide as both.
NodeId product_unsigned(Dag& dag, NodeId a, NodeId b);
NodeId product_signed(Dag& dag, NodeId a, NodeId b);

/// Signed a >> amount (unsigned, any), rounding down; as wide as a.
NodeId shift_down(Dag& dag, NodeId a, NodeId amount);
/// Unsigned a >> amount; as wide as a.
NodeId shift_down_unsigned(Dag& dag, NodeId a, NodeId amount);
/// a << amount modulo 2^width.
NodeId shift_up(Dag& dag, NodeId a, NodeId amount, uint32_t width);
/// floor(a / 2^amount + 1/2) of a signed number (rounded_shift of ir/scalar.h for amount >= 0); one bit wider than a.
NodeId rounded_shift(Dag& dag, NodeId a, NodeId amount);
/// The signed number, which lies in -(2^bits - 1) .. 2^bits - 1 or is cut to it: bits + 1 wide.
NodeId clamp(Dag& dag, NodeId a, uint32_t bits);

/// An unsigned number with its leading one shifted to the highest bit, and by how much.
struct Normalised {
  NodeId word;   // as wide
  NodeId count;  // bits_for(width - 1) bits; meaningless where the number is 0
};
Normalised normalise(Dag& dag, NodeId a);
/// Bits of an unsigned number from its leading one on; 0 for 0.
NodeId bit_length(Dag& dag, NodeId a);

/// floor(a / b) of unsigned numbers, as wide as a; b > 0.
NodeId quotient(Dag& dag, NodeId a, NodeId b);
/// floor(sqrt(a)) of an unsigned number of an even width: half as wide.
NodeId integer_root(Dag& dag, NodeId a);

}  // namespace bitgrid::scales
