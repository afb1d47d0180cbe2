// Random walk over ESOPs by exorlink moves.
#pragma once

#include <random>

#include "lowering/synthesis/terms.h"

namespace bitgrid::synthesis {

/// Two terms at distance 2 (places in which they differ; the outputs are one place) equal two other terms, in two ways; at distance 3 three
/// others, in six ways. A step takes one pair, and replaces it when the new terms merge with others so that the list does not grow. Returns
/// the shortest list seen. Places have `values` values, 2 or 4.
TermList walk_esop(const TermList& start, uint32_t places, uint32_t values, int steps, std::mt19937_64& rng);

}  // namespace bitgrid::synthesis
