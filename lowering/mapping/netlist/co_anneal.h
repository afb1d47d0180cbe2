// Annealing with live routes: LUTs, their packing and ports move while every net is routed; what two nets want costs, until nothing does.
#pragma once

#include <cstdint>
#include <optional>

#include "ir/defects.h"
#include "lowering/mapping/netlist/co_state.h"
#include "lowering/mapping/netlist/netlist_layout.h"
#include "lowering/mapping/netlist/packing.h"

namespace bitgrid::mapping {

struct LiveAnnealParams {
  uint64_t seed = 1;
  LiveCosts costs;
  double cells = 0;          // of the first region; 0: utilisation
  double utilisation = 4;    // cells of the first region for each LUT
  double hot = 12;           // the first temperature, in edges
  double cold = 0.7;         // the last
  double work = 1e6;         // cells that searches may look at, for each LUT and port, in the first round
  int rounds = 2;            // the later ones start from the smallest region without a line
  double reheat = 3;         // temperature of later rounds
  double later_work = 0.5;   // of the first round's
  double least_reach = 1.5;  // of moves, in cells
  int history = 64;          // what edges that two nets want cost more after each 1024 moves,
  double history_heat = 4;   // below this temperature
  double anneal_moves = 6;   // of the first placement, by net lengths (AnnealingParams)
  double anneal_evenness = 1.5;
  bool log = false;  // to stderr
};

struct LiveAnnealStats {
  Region first;
  size_t moves = 0;
  size_t accepted = 0;
  int removed = 0;  // lines
  uint64_t work = 0;
  size_t wirelength = 0;
  size_t logic_cells = 0;
  double seconds = 0;
};

struct PackedLayout {
  PackedNetlist netlist;
  NetlistLayout layout;
};

/// The smallest region that closed, or nothing. `first` packs the same network.
std::optional<PackedLayout> live_anneal(const PackedNetlist& first, const Defects& defects, const LiveAnnealParams& params,
                                        LiveAnnealStats* stats = nullptr);

}  // namespace bitgrid::mapping
