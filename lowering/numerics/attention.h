// Attention: keys and values as resident matrices, scores and mixes as systolic kernels.
#pragma once

#include <string>

#include "ir/model.h"
#include "lowering/numerics/program_builder.h"

namespace bitgrid::numerics {

/// Queries times cached keys, plus position biases, requantised: adds the kernels and returns the tensor. `prefix`: "layers.N.".
/// Where the query's codes have a zero other than 0, the key sums that the codes leave out are a kernel of their own, cached like the keys
/// and added at the row ends. Throws Error as the planning of kernels does.
int add_scores(ProgramBuilder& builder, const Attention& attention, const std::string& prefix, int query, int key);

/// Scores times cached values, requantised.
int add_mix(ProgramBuilder& builder, const Attention& attention, const std::string& prefix, int scores, int value);

}  // namespace bitgrid::numerics
