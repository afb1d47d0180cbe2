// Turns a packed netlist into a routed layout, by the methods that the effort allows.
#pragma once

#include "lowering/mapping/netlist/map_netlist.h"
#include "lowering/mapping/netlist/netlist_layout.h"

namespace bitgrid::mapping {

/// Anneals on dense sites, where wires cost more if many in the same direction are needed. Then it gives the sites as much room as their
/// wires need, and anneals a little more. It routes by negotiation and inserts lines when that stalls. Default and dense effort take the
/// smallest of several placements, shorten wires by live moves, and remove lines. Adds attempts and seconds to `stats`. Throws Error (net,
/// from, to, region, setting) if nothing closes. It tries more room by itself unless params.utilisation is given.
NetlistLayout place_and_route(const PackedNetlist& netlist, const NetlistParams& params, NetlistStats& stats);

}  // namespace bitgrid::mapping
