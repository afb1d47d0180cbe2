// Negotiated congestion (PathFinder, McMurchie and Ebeling 1995) on directed edges.
#pragma once

#include <vector>

#include "lowering/mapping/netlist/router.h"

namespace bitgrid::mapping {

struct NegotiationParams {
  int iterations = 30;
  double present_first = 0.5;   // price of an edge that others use, per user
  double present_growth = 1.4;  // of that price, from one iteration to the next
  double history = 0.4;         // price that an overused edge keeps, per iteration
  int whole_nets = 4;           // iterations that reroute whole nets; later ones only the branches that are in trouble
  double present_most = 30;
  int patience = 3;       // iterations that gain less than `gain` before giving up,
  int patience_end = 12;  // and where at most `few` edges are overused
  int few = 12;
  double gain = 0.1;  // of the overuse
};

/// Every net takes its cheapest tree; edges that several nets want become dearer until one net is left on each. Nets that are connected and
/// do not share an edge stay as they are. Returns the overuse left; `params.present_first` is left where
/// the price ended; `overuse`, if given, gets it after each iteration.
int negotiate(const PackedNetlist& netlist, Router& router, NegotiationParams& params, std::vector<int>* overuse = nullptr);

}  // namespace bitgrid::mapping
