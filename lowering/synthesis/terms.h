// Product terms as the minimiser uses them: the values that each place may have, and up to 64 outputs.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/index.h"

namespace bitgrid::synthesis {

/// The literal of a place is the set of values that it may have, one bit each. A place is an input (two values; input i in bits 2i and
/// 2i+1: 1 = complemented, 2 = true, 3 = absent) or a pair of inputs (four values). Two terms that differ in only one place combine into
/// the one with the XOR of the two literals there.
struct Term {
  uint64_t literals = 0;
  uint64_t outputs = 0;
};

struct TermList {
  std::vector<Term> terms;
  uint64_t complement = 0;  // outputs that are complemented: the term without literals, which a plane gets for free
};

/// Returns the literals of `count` absent places with `values` values each: every value is allowed.
constexpr uint64_t absent_literals(uint32_t count, uint32_t values = 2) {
  return count == 0 ? 0 : ~uint64_t{0} >> (64 - values * count);
}

/// Sets the first bit of each place, among those with `values` values (2 or 4), in which the literals differ.
constexpr uint64_t differing(uint64_t a, uint64_t b, uint32_t values) {
  uint64_t d = a ^ b;
  if (values == 4) d |= d >> 2;
  return (d | d >> 1) & (values == 4 ? 0x1111'1111'1111'1111 : 0x5555'5555'5555'5555);
}

constexpr uint32_t literal_care(uint64_t literals) {
  uint32_t care = 0;
  for (uint32_t i = 0; i < 32; ++i) care |= id_of(((literals >> (2 * i)) & 3) == 1 || ((literals >> (2 * i)) & 3) == 2) << i;
  return care;
}

constexpr uint32_t literal_value(uint64_t literals) {
  uint32_t value = 0;
  for (uint32_t i = 0; i < 32; ++i) value |= id_of(((literals >> (2 * i)) & 3) == 2) << i;
  return value;
}

}  // namespace bitgrid::synthesis
