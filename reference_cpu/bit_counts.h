// Counts the ones of pairs of bit vectors, with the instructions that the processor has.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitgrid::cpu {

struct BitCounts {
  const char* name;
  /// Returns the ones of a & b.
  int64_t (*of_and)(const uint64_t* a, const uint64_t* b, size_t words);
  /// counts[r] = ones of row r ^ b, for consecutive rows.
  void (*of_xor)(const uint64_t* rows, size_t count, const uint64_t* b, size_t words, int64_t* counts);
};

/// Returns the fastest version that is available. With BITGRID_CPU=scalar it returns the one for any processor.
const BitCounts& bit_counts();

}  // namespace bitgrid::cpu
