// Product terms as the minimiser works on them: two bits a literal, up to 64 outputs.
#pragma once

#include <cstdint>
#include <vector>

namespace bitgrid {

/// Literal of input i in bits 2i, 2i+1: 1 = complemented, 2 = true, 3 = absent. The exclusive or of two different literals is the third
/// one.
struct Term {
  uint64_t literals = 0;
  uint64_t outputs = 0;
};

struct TermList {
  std::vector<Term> terms;
  uint64_t complement = 0;  // outputs that are complemented: the term without literals, which a plane has for nothing
};

inline constexpr uint64_t kOddBits = 0x5555'5555'5555'5555;

constexpr uint64_t absent_literals(uint32_t inputs) {
  return inputs == 0 ? 0 : ~uint64_t{0} >> (64 - 2 * inputs);
}

/// Bit 2i is set where the literals of input i differ.
constexpr uint64_t differing(uint64_t a, uint64_t b) {
  return ((a ^ b) | ((a ^ b) >> 1)) & kOddBits;
}

constexpr uint32_t literal_care(uint64_t literals) {
  uint32_t care = 0;
  for (uint32_t i = 0; i < 32; ++i)
    care |= static_cast<uint32_t>(((literals >> (2 * i)) & 3) == 1 || ((literals >> (2 * i)) & 3) == 2) << i;
  return care;
}

constexpr uint32_t literal_value(uint64_t literals) {
  uint32_t value = 0;
  for (uint32_t i = 0; i < 32; ++i) value |= static_cast<uint32_t>(((literals >> (2 * i)) & 3) == 2) << i;
  return value;
}

}  // namespace bitgrid
