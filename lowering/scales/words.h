// Signed and unsigned numbers of any width as nodes of a Dag. Vector kernels consist of these operations. Signed numbers are in two's
// complement. Every function states the width of its result, in which the exact value fits unless noted.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/dag.h"

namespace bitgrid::scales {

uint32_t width_of(const Dag& dag, NodeId a);
/// Returns the bits that a count from 0 to `most` takes.
uint32_t bits_for(uint64_t most);

/// Returns a constant modulo 2^width.
NodeId number(Dag& dag, uint32_t width, int64_t value);
NodeId bit_of(Dag& dag, NodeId a, uint32_t bit);
/// Returns the sign of a signed number, which is its highest bit.
NodeId sign_of(Dag& dag, NodeId a);
/// These cut to the lower `width` bits, or extend with zeros, or with the sign.
NodeId unsigned_as(Dag& dag, NodeId a, uint32_t width);
NodeId signed_as(Dag& dag, NodeId a, uint32_t width);
/// Returns `width` copies of `bit` (1 bit).
NodeId spread(Dag& dag, NodeId bit, uint32_t width);

NodeId select(Dag& dag, NodeId condition, NodeId if_one, NodeId if_zero);
NodeId is_zero(Dag& dag, NodeId a);
/// Returns -a of a signed number, with the same width. The smallest number is its own result.
NodeId negative(Dag& dag, NodeId a);

/// Return a + b and a - b of signed numbers, one bit wider than the wider one.
NodeId signed_sum(Dag& dag, NodeId a, NodeId b);
NodeId signed_difference(Dag& dag, NodeId a, NodeId b);
/// Returns the sum of unsigned numbers of one width, in a tree. It is wider by as many bits as the count needs.
NodeId unsigned_total(Dag& dag, std::vector<NodeId> words);

/// Return signed a times unsigned b, and signed a times signed b. The result is as wide as both together.
NodeId product_unsigned(Dag& dag, NodeId a, NodeId b);
NodeId product_signed(Dag& dag, NodeId a, NodeId b);

/// Returns signed a >> amount (unsigned, any value), rounded down; as wide as a.
NodeId shift_down(Dag& dag, NodeId a, NodeId amount);
/// Returns floor(a / 2^amount + 1/2) of a signed number (rounded_shift of ir/scalar.h for amount >= 0); one bit wider than a.
NodeId rounded_shift(Dag& dag, NodeId a, NodeId amount);

/// An unsigned number shifted so that its leading one is the highest bit, and the shift.
struct Normalised {
  NodeId word;   // as wide as the number
  NodeId count;  // bits_for(width - 1) bits; meaningless if the number is 0
};
Normalised normalise(Dag& dag, NodeId a);
/// Returns the bits of an unsigned number from its leading one down; 0 for 0.
NodeId bit_length(Dag& dag, NodeId a);

}  // namespace bitgrid::scales
