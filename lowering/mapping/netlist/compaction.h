// Makes routed layouts denser: live moves of blocks shorten wires, then columns and rows that are not needed are removed.
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
  double repair_limit = 0.02;   // no repair is tried with more overused edges per logic cell than this
  int rounds = 6;               // of shortening and removal
  double moves_per_block = 20;  // of shortening, in each round
  double heat = 2;              // starting temperature of shortening, in edges
  double work_per_cell = 4e5;   // edges that searches may visit in total, per logic cell, before it stops
  int candidates = 8;           // lines to try before a direction counts as full
};

struct CompactionStats {
  int tried = 0;    // lines
  int removed = 0;  // lines
  size_t moves = 0;
  size_t accepted = 0;
  size_t wirelength = 0;
  double seconds = 0;
};

/// The layout must be routed without overuse, and it stays so.
void compact(const PackedNetlist& netlist, NetlistLayout& layout, const Defects& defects, const CompactionParams& params,
             CompactionStats* stats = nullptr);

}  // namespace bitgrid::mapping
