// Moves blocks with their routes until no edge is overused.
#pragma once

#include "lowering/netlist/router.h"

namespace bitgrid {

/// Works on the routes of `router`, whose placement is `placement`. Stops when nothing is overused or the moves are spent.
void repair(const PackedNetlist& netlist, Placement& placement, Router& router, const RoutingParams& params, RoutingStats& stats);

}  // namespace bitgrid
