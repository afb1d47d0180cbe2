// Cleans up LUT networks before placement.
#pragma once

#include "ir/lut_network.h"

namespace bitgrid::synthesis {

/// Folds constants, buffers and inverters into their users, and drops fan-ins that do not matter and nodes that no output needs. Every node
/// of the result has 2 to 4 fan-ins. Outputs and inputs stay as they are, in order.
LutNetwork simplify(const LutNetwork& network);

}  // namespace bitgrid::synthesis
