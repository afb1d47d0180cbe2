// Ones of pairs of bit vectors, with the instructions that the processor has.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitgrid::cpu {

/// Ones of a & b, and of a ^ b.
struct BitCounts {
  const char* name;
  int64_t (*of_and)(const uint64_t* a, const uint64_t* b, size_t words);
  int64_t (*of_xor)(const uint64_t* a, const uint64_t* b, size_t words);
};

/// The fastest that is available; BITGRID_CPU=scalar: the one for any processor.
const BitCounts& bit_counts();

}  // namespace bitgrid::cpu
