// Makes the grid configuration of a placed and routed netlist.
#pragma once

#include <vector>

#include "ir/grid_config.h"
#include "lowering/mapping/netlist/netlist_layout.h"
#include "lowering/mapping/netlist/packing.h"

namespace bitgrid::mapping {

/// Every used edge copies the edge that feeds it, or computes its LUT from the sides at which the fan-ins arrive. Outputs are complemented
/// at their last edge. Routes must be closed.
GridConfig emit_grid(const PackedNetlist& netlist, const NetlistLayout& layout);

}  // namespace bitgrid::mapping
