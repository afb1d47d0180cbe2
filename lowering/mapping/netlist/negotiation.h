// Negotiated congestion (PathFinder, McMurchie and Ebeling 1995) on directed edges.
#pragma once

#include <vector>

#include "lowering/mapping/netlist/router.h"
#include "lowering/mapping/stop_point.h"

namespace bitgrid::mapping {

struct NegotiationParams {
  int iterations = 30;
  double present_first = 0.5;   // price of an edge that others use, per user
  double present_growth = 1.4;  // factor on that price per iteration
  double history = 0.4;         // price that an overused edge keeps, per iteration
  int whole_nets = 4;           // iterations that reroute whole nets; later ones reroute only branches with overuse
  double present_most = 30;
  int patience = 3;       // iterations that gain less than `gain` before it gives up
  int patience_end = 12;  // the same, while at most `few` edges are overused
  int few = 12;
  double gain = 0.1;  // of the overuse
  StopPoint stop_point = nullptr;
};

/// Every net takes its cheapest tree, and edges that several nets want become more expensive until each has only one net. Nets that are
/// connected and share no edge stay as they are. Returns the remaining overuse. `params.present_first` is left at the final price, and
/// `overuse`, if given, gets the overuse after each iteration.
int negotiate(const PackedNetlist& netlist, Router& router, NegotiationParams& params, std::vector<int>* overuse = nullptr);

}  // namespace bitgrid::mapping
