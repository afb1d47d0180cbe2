// Attention: keys and values are resident matrices, and scores and mixes are systolic kernels.
#pragma once

#include <string>

#include "ir/model.h"
#include "lowering/numerics/program_builder.h"

namespace bitgrid::numerics {

/// Multiplies queries by cached keys, adds position biases, and requantises. Adds the kernels and returns the tensor. `prefix`:
/// "layers.N.". If the zero of the query's codes is not 0, the key sums that the codes leave out get their own kernel; they are cached like
/// the keys and added at the row ends. Throws Error as the planning of kernels does.
int add_scores(ProgramBuilder& builder, const Attention& attention, const std::string& prefix, int query, int key);

/// Multiplies scores by cached values and requantises.
int add_mix(ProgramBuilder& builder, const Attention& attention, const std::string& prefix, int scores, int value);

}  // namespace bitgrid::numerics
