// Room where wires need it: empty columns and rows go in beside edges that several nets want, until routing closes.
#pragma once

#include <vector>

#include "ir/defects.h"
#include "lowering/mapping/netlist/co_moves.h"
#include "lowering/mapping/netlist/negotiation.h"
#include "lowering/mapping/netlist/netlist_layout.h"

namespace bitgrid::mapping {

struct ExpansionParams {
  uint64_t seed = 1;  // of repairs
  NegotiationParams negotiation;
  RepairParams repair;
  double repair_limit = 0.1;  // overused edges per logic cell above which no repair is tried
  EdgePrices prices;
  double lines_per_overuse = 0.25;  // new lines for each overused edge,
  double most_lines = 0.04;         // but at most this part of all lines at once
  double present_kept = 0.5;        // of the price of shared edges, when lines went in
  double hopeless = 1;              // give up if overuse after the first negotiation exceeds this share of the wires
  double max_area = 6;              // of the first region's, where to give up,
  double max_cells = 0;             // or, if not 0, this many cells
};

struct ExpansionStats {
  std::vector<int> overuse;  // nets beyond the capacity of an edge, summed over the edges, after each iteration
  int lines = 0;             // put in
  int overuse_left = 0;
  size_t wirelength = 0;
  std::vector<uint16_t> users;  // nets on each edge (Region's numbers) at the end; a bad edge in use counts one more
  double seconds = 0;
};

/// Routes the layout; true if it closed.
bool route_and_expand(const PackedNetlist& netlist, NetlistLayout& layout, const Defects& defects, const ExpansionParams& params,
                      ExpansionStats* stats = nullptr);

}  // namespace bitgrid::mapping
