// Makes room where wires need it: inserts empty columns and rows next to edges that several nets want, until routing closes.
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
  double repair_limit = 0.1;  // no repair is tried with more overused edges per logic cell than this
  EdgePrices prices;
  double lines_per_overuse = 0.25;  // new lines per overused edge
  double most_lines = 0.04;         // but at most this part of all lines at once
  double present_kept = 0.5;        // part of the price of shared edges that stays when lines were inserted
  double hopeless = 1;              // give up if the overuse after the first negotiation exceeds this share of the wires
  double max_area = 6;              // as a multiple of the first region's, where it gives up
  double max_cells = 0;             // the same in cells, if not 0
};

struct ExpansionStats {
  std::vector<int> overuse;  // nets beyond the capacity of an edge, summed over the edges, after each iteration
  int lines = 0;             // lines inserted
  int overuse_left = 0;
  size_t wirelength = 0;
  std::vector<uint16_t> users;  // nets on each edge (Region's numbers) at the end; a used bad edge counts one more
  double seconds = 0;
};

/// Routes the layout. Returns true if it closed.
bool route_and_expand(const PackedNetlist& netlist, NetlistLayout& layout, const Defects& defects, const ExpansionParams& params,
                      ExpansionStats* stats = nullptr);

}  // namespace bitgrid::mapping
