// From a packed netlist to a routed layout, by the methods that an effort affords.
#pragma once

#include "lowering/netlist/layout.h"
#include "lowering/netlist/map_netlist.h"

namespace bitgrid {

/// Two ways to place. "spread": anneal net lengths on dense sites, then give every site room in proportion to the wires around it: uniform
/// use of edges, which closes at once. "annealed": anneal on every second column and row with a charge on crowded places: shorter wires.
/// Either is routed by negotiation; where that stalls, lines go in. Default and dense effort try both, shorten wires by live moves and take
/// lines out of the smaller one. Adds attempts and seconds to `stats`. Throws Error (net, from, to, region, knob) if nothing closes.
NetlistLayout place_and_route(const PackedNetlist& netlist, const NetlistParams& params, NetlistStats& stats);

}  // namespace bitgrid
