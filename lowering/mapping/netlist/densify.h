// Dense effort: what is placed and routed is annealed again with live routes.
#pragma once

#include "lowering/mapping/netlist/map_netlist.h"
#include "lowering/mapping/netlist/netlist_layout.h"
#include "lowering/mapping/netlist/packing.h"

namespace bitgrid::mapping {

/// Takes the result of live annealing, from a region of the layout's size on, if it is smaller: LUTs may then share other cells than
/// before. Adds an attempt and seconds to `stats`.
void densify(PackedNetlist& netlist, NetlistLayout& layout, const NetlistParams& params, NetlistStats& stats);

}  // namespace bitgrid::mapping
