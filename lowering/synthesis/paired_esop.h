// Exclusive sums of products whose factors are functions of two inputs each: the form of a table that a two-way plane evaluates.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/index.h"
#include "lowering/synthesis/esop.h"

namespace bitgrid::synthesis {

/// Pair p may have the values v (first input + 2 * second input) for which bit 4p + v of `literals` is set.
struct PairedCube {
  uint64_t literals = 0;
  BitVector outputs;
  uint32_t values(uint32_t pair) const { return id_of(literals >> (4 * pair)) & 15; }
  bool operator==(const PairedCube&) const = default;
};

/// Output o = complement[o] ^ XOR of the cubes that feed o. Pair p consists of inputs order[2p] and order[2p + 1]. The last input may be
/// alone.
struct PairedEsop {
  uint32_t inputs = 0;
  uint32_t outputs = 0;
  std::vector<uint32_t> order;
  std::vector<PairedCube> cubes;
  BitVector complement;
  uint32_t pairs() const { return (inputs + 1) / 2; }
};

/// Pairs the inputs of an ESOP so that many of its cubes merge, then continues by exorlink moves (walk_esop), which are the same for places
/// of four values (Song and Perkowski 1996). The result never has more cubes than `esop`. params.orders is the number of pairings that are
/// tried.
PairedEsop pair_inputs(const Esop& esop, const EsopParams& params = {});

/// Returns the paired ESOP of a table, with `steps` steps per walk in the second minimisation. With `products_apart`, each output that is
/// one product of inputs, or its complement, has its own cube, which feeds no other output. Decoders become smaller this way. Throws what
/// minimise_esop throws.
PairedEsop minimise_paired_esop(const std::vector<BitVector>& table, const EsopParams& params, int steps, bool products_apart);

/// Returns the table of a paired ESOP: 2^inputs words.
std::vector<BitVector> evaluate(const PairedEsop& esop);

}  // namespace bitgrid::synthesis
