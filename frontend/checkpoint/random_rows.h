// Rows of random numbers for checkpoints. Each row has its own generator, so that their order does not matter.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
struct SplitMix64 {
  uint64_t state = 0;

  uint64_t next() {
    uint64_t z = state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
};

/// Returns the generator of row `r` of tensor `tensor`.
inline SplitMix64 row_generator(uint64_t seed, uint64_t tensor, uint64_t r) {
  SplitMix64 mixed = {seed ^ SplitMix64{tensor}.next()};
  return {mixed.next() ^ r * 0xD1342543DE82EF95U};
}

/// Draws codes of the set, all equally likely.
inline void random_codes(SplitMix64 random, StoredValues values, std::span<int8_t> codes) {
  constexpr size_t kPerDraw = 16;
  for (size_t i = 0; i < codes.size(); i += kPerDraw) {
    uint64_t bits = random.next();
    for (size_t j = i; j < codes.size() && j < i + kPerDraw; ++j, bits >>= 4)
      codes[j] = static_cast<int8_t>(values == StoredValues::kBinary ? static_cast<int>(bits & 1) * 2 - 1
                                                                     : static_cast<int>((bits & 15) * 3 >> 4) - 1);
  }
}

/// Draws numbers that are uniform over -width .. width.
inline void random_floats(SplitMix64 random, float width, std::span<float> row) {
  for (float& v : row) v = (static_cast<float>(random.next() >> 40) * 0x1p-23F - 1.0F) * width;
}

}  // namespace bitgrid::frontend
