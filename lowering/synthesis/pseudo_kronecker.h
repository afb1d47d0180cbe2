// Pseudo-Kronecker forms: the starting points of ESOP minimisation.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "lowering/synthesis/terms.h"

namespace bitgrid::synthesis {

/// For one variable order, this finds the pseudo-Kronecker form with the fewest terms exactly, in 3^inputs steps. It splits each
/// subfunction by Shannon's, the positive Davio or the negative Davio expansion. It makes forms of all outputs jointly and of each output
/// alone (then merged), for `orders` random orders. table: 2^inputs words of outputs; only those in output_mask count. Returns at least one
/// form. Each is exact.
std::vector<TermList> pseudo_kronecker_starts(const std::vector<uint64_t>& table, uint32_t inputs, uint64_t output_mask, int orders,
                                              std::mt19937_64& rng);

}  // namespace bitgrid::synthesis
