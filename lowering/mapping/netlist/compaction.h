// Denser layouts from routed ones: wires get shorter by live moves of blocks, then columns and rows that can be spared go out.
#pragma once

#include <vector>

#include "ir/defects.h"
#include "lowering/mapping/netlist/co_moves.h"
#include "lowering/mapping/netlist/negotiation.h"
#include "lowering/mapping/netlist/netlist_layout.h"

namespace bitgrid::mapping {

struct CompactionParams {
  uint64_t seed = 1;
  EdgePrices prices;
  NegotiationParams negotiation{.iterations = 40, .present_first = 1.5, .whole_nets = 0, .patience = 8, .patience_end = 20};
  RepairParams repair;
  double repair_limit = 0.02;   // overused edges per logic cell above which no repair is tried
  int rounds = 6;               // of shortening and removing
  double moves_per_block = 20;  // of shortening, in each round
  double heat = 2;              // of shortening, at its start, in edges
  double work_per_cell = 4e5;   // edges that searches may look at in all, for each logic cell, before it ends
  int candidates = 8;           // lines to try before a direction counts as full
};

struct CompactionStats {
  int tried = 0;    // lines
  int removed = 0;  // of them
  size_t moves = 0;
  size_t accepted = 0;
  size_t wirelength = 0;
  double seconds = 0;
};

/// The layout must be routed without overuse, and stays so.
void compact(const PackedNetlist& netlist, NetlistLayout& layout, const Defects& defects, const CompactionParams& params,
             CompactionStats* stats = nullptr);

}  // namespace bitgrid::mapping
