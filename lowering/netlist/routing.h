// Routing on directed cell-to-cell edges: negotiated congestion, then repair by moving blocks.
#pragma once

#include <cstdint>
#include <vector>

#include "lowering/netlist/packing.h"
#include "lowering/netlist/placement.h"
#include "lowering/netlist/region.h"

namespace bitgrid {

/// An edge that a net uses, and the edge from which it is fed; kNowhere: by the driver, which is in the edge's cell (or is the border port
/// itself).
struct RouteHop {
  uint32_t edge = 0;
  uint32_t from = kNowhere;
};

struct NetRoute {
  std::vector<RouteHop> hops;      // an edge's `from` comes before it
  std::vector<uint32_t> arrivals;  // for each sink of the net: the edge that ends at its cell, or the border output
};

struct RoutingParams {
  uint64_t seed = 1;            // of the repair
  int iterations = 40;          // of negotiation
  double present_first = 0.5;   // price of an edge that others use, per user
  double present_growth = 1.4;  // of that price, from one iteration to the next
  double history = 0.4;         // price that an overused edge keeps, per iteration
  int patience = 6;             // iterations without less overuse before giving up
  double repair_limit = 0.3;    // overused edges per logic cell above which no repair is tried
  int repair_moves = 10;        // moves of the repair, for each block
  double repair_heat = 0.5;     // temperature of the repair at its start, in overused edges
};

struct RoutingStats {
  std::vector<int> overuse;  // nets beyond the first on an edge, summed over the edges, after each iteration
  int repair_tried = 0;
  int repair_accepted = 0;
  int overuse_left = 0;
  size_t wirelength = 0;  // edges used
  double seconds = 0;
};

struct Routing {
  std::vector<NetRoute> routes;    // one for each net
  std::vector<uint32_t> overused;  // edges that several nets still want; empty if the routing closed
  bool closed() const { return overused.empty(); }
};

/// Capacity 1 an edge; what enters a cell may leave by any side; a driver may use any side of its cell, a sink reads any.
/// First PathFinder (McMurchie and Ebeling 1995): every net takes its cheapest tree, edges that several nets want become dearer until one
/// net is left on each. What stays overused is repaired: a block near it moves or changes places, and only its nets are routed again; moves
/// are kept by the rule of annealing. `placement` follows the moves.
Routing route(const PackedNetlist& netlist, Placement& placement, const RoutingParams& params = {}, RoutingStats* stats = nullptr);

}  // namespace bitgrid
