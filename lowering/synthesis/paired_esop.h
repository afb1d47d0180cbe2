// Exclusive sums of products of functions of two inputs each: the form of a table that a two-way plane evaluates.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/index.h"
#include "lowering/synthesis/esop.h"

namespace bitgrid::synthesis {

/// Pair p is allowed the values v (first input + 2 * second input) for which bit 4p + v of `literals` is set.
struct PairedCube {
  uint64_t literals = 0;
  BitVector outputs;
  uint32_t values(uint32_t pair) const { return id_of(literals >> (4 * pair)) & 15; }
  bool operator==(const PairedCube&) const = default;
};

/// Output o = complement[o] ^ xor of the cubes that feed o. Pair p is of inputs order[2p] and order[2p + 1]; the last one may be alone.
struct PairedEsop {
  uint32_t inputs = 0;
  uint32_t outputs = 0;
  std::vector<uint32_t> order;
  std::vector<PairedCube> cubes;
  BitVector complement;
  uint32_t pairs() const { return (inputs + 1) / 2; }
};

/// Pairs the inputs of an ESOP so that many of its cubes merge, and goes on from there by exorlink moves (walk_esop), which are the same
/// for places of four values (Song and Perkowski 1996). Never more cubes than `esop` has. params.orders is of pairings that are tried.
PairedEsop pair_inputs(const Esop& esop, const EsopParams& params = {});

/// The paired ESOP of a table, with `steps` steps a walk in the second minimisation. `products_apart`: outputs that are one product of
/// inputs, or its complement, have a cube of their own, which no other output feeds on; decoders are smaller so. Throws what minimise_esop
/// throws.
PairedEsop minimise_paired_esop(const std::vector<BitVector>& table, const EsopParams& params, int steps, bool products_apart);

/// The table of a paired ESOP: 2^inputs words.
std::vector<BitVector> evaluate(const PairedEsop& esop);

}  // namespace bitgrid::synthesis
