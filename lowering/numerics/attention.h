// Attention: keys and values as resident matrices, scores and mixes as systolic kernels.
#pragma once

#include <string>

#include "ir/model.h"
#include "lowering/numerics/program_builder.h"

namespace bitgrid::numerics {

/// Adds everything of an attention layer up to the requantised mix of the values, and returns its tensor. `prefix`: "layers.N.".
/// Where the query's codes have a zero other than 0, the key sums that the codes leave out are a kernel of their own, cached like the keys
/// and added at the row ends. Throws Error as the planning of kernels does.
int lower_attention(ProgramBuilder& builder, const Attention& attention, const std::string& prefix, int operand);

}  // namespace bitgrid::numerics
