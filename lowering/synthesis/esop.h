// Exclusive sums of products: the form of a table that an AND/XOR plane evaluates, and a minimiser for it.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/bits.h"

namespace bitgrid::synthesis {

/// A product term: the inputs in `care` must equal their bits in `value` (no others are set there). Its value is XORed into `outputs`.
struct Cube {
  uint32_t care = 0;
  uint32_t value = 0;
  BitVector outputs;
  bool operator==(const Cube&) const = default;
};

/// Output o = complement[o] ^ XOR of the cubes that feed o.
struct Esop {
  uint32_t inputs = 0;
  uint32_t outputs = 0;
  std::vector<Cube> cubes;
  BitVector complement;
  bool operator==(const Esop&) const = default;
};

inline constexpr uint32_t kMaxEsopInputs = 14;

struct EsopParams {
  uint64_t seed = 1;
  int orders = 24;     // variable orders tried for the pseudo-Kronecker start (fewer above 9 inputs)
  int walks = 4;       // random walks, from the best starts (one above 10 inputs)
  int steps = 20'000;  // per walk; a step looks at one pair of cubes
};

struct EsopStats {
  size_t start_cubes = 0;  // best pseudo-Kronecker form
  size_t cubes = 0;        // after the walks
  size_t literals = 0;
  double seconds = 0;
};

/// Minimises the number of cubes of `table`: 2^k words (index = the inputs as a number), each with one bit per output. Starts from
/// pseudo-Kronecker forms (joint and output by output), then walks by exorlink-2 and -3 moves (Song and Perkowski 1996; Mishchenko and
/// Perkowski 2001). Throws Error if the table is not 2^k words of one width, or k > kMaxEsopInputs.
Esop minimise_esop(const std::vector<BitVector>& table, const EsopParams& params = {}, EsopStats* stats = nullptr);

/// Returns the table of an ESOP: 2^inputs words.
std::vector<BitVector> evaluate(const Esop& esop);

}  // namespace bitgrid::synthesis
