// The exact arrays of an integer network, with the mistakes that kernels of networks make.
#pragma once

#include <vector>

#include "check/against.h"
#include "engines/network_source.h"

namespace bitgrid::check {

/// Inputs, sums and codes of every layer, and scores, over the network's samples. Sums have the name of their node as well. `open` must
/// outlive the result.
std::vector<ExactArray> exact_arrays(const engines::OpenNetwork& open);

}  // namespace bitgrid::check
