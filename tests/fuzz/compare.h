// What the differential targets compare, for them and for the tests that they see a fault.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/mapped_kernel.h"
#include "ir/model.h"
#include "lowering/numerics/lower.h"

namespace bitgrid::fuzz {

/// The first difference between a Dag and a mapping of it: on every simulator, with latches that start at 0 and at random, from the first
/// invocation on; and of the logic that the prover extracts. nullopt: none. Throws Error if verify(mapped) objects.
std::optional<std::string> first_wrong(const Dag& dag, const MappedKernel& mapped);

/// The first difference between a model by its golden code, and its packed code, its program's Dags, or its mapped kernels, over all
/// tensors of all tokens. nullopt: none.
std::optional<std::string> first_wrong(const Model& model, const Program& program, const std::vector<MappedKernel>& mapped,
                                       const std::vector<int>& tokens);

}  // namespace bitgrid::fuzz
