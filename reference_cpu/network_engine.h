// Integer networks on the CPU, element by element: the definition of what every engine computes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/integer_network.h"

namespace bitgrid::cpu {

/// The scores of one sample's codes (input_codes). The trace is told the values of every layer in order.
std::vector<int64_t> run_network(const IntegerNetwork& network, std::span<const int64_t> codes, const NetworkTrace& trace = nullptr);

}  // namespace bitgrid::cpu
