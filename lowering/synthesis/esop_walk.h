// Random walk over ESOPs by exorlink moves.
#pragma once

#include <random>

#include "lowering/synthesis/terms.h"

namespace bitgrid::synthesis {

/// Two terms at distance 2 (the number of places in which they differ; the outputs count as one place) equal two other terms, in two ways.
/// At distance 3 they equal three others, in six ways. A step takes one pair and replaces it if the new terms merge with others so that the
/// list does not grow. Returns the shortest list seen. Places have `values` values, 2 or 4.
TermList walk_esop(const TermList& start, uint32_t places, uint32_t values, int steps, std::mt19937_64& rng);

}  // namespace bitgrid::synthesis
