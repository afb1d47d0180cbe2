// The exact arrays of a model over tokens, with the mistakes that kernels of such models make.
#pragma once

#include <vector>

#include "check/against.h"
#include "ir/model.h"

namespace bitgrid::check {

/// What the CPU engine traces (reference_cpu/engine.h), a row for each position. `model` must outlive the result.
std::vector<ExactArray> exact_arrays(const Model& model, const std::vector<int>& tokens);

}  // namespace bitgrid::check
