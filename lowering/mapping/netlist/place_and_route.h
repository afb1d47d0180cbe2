// From a packed netlist to a routed layout, by the methods that an effort affords.
#pragma once

#include "lowering/mapping/netlist/map_netlist.h"
#include "lowering/mapping/netlist/netlist_layout.h"

namespace bitgrid::mapping {

/// Anneals on dense sites, wires being dearer where many of the same direction are wanted; gives the sites as much room as the wires around
/// them need, and anneals a little more; routes by negotiation, with new lines where that stalls. Default and dense effort take the
/// smallest of several placements, shorten wires by live moves and take lines out. Adds attempts and seconds to `stats`. Throws Error (net,
/// from, to, region, knob) if nothing closes; more room is tried by itself unless params.utilisation is given.
NetlistLayout place_and_route(const PackedNetlist& netlist, const NetlistParams& params, NetlistStats& stats);

}  // namespace bitgrid::mapping
