// Dense effort: anneals a placed and routed layout again with live routes.
#pragma once

#include "lowering/mapping/netlist/map_netlist.h"
#include "lowering/mapping/netlist/netlist_layout.h"
#include "lowering/mapping/netlist/packing.h"

namespace bitgrid::mapping {

/// Replaces the layout with the result of live annealing, which starts from a region of its size, if that is smaller. LUTs may then share
/// other cells than before. Adds an attempt and its seconds to `stats`.
void densify(PackedNetlist& netlist, NetlistLayout& layout, const NetlistParams& params, NetlistStats& stats);

}  // namespace bitgrid::mapping
