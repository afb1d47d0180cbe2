// Annealing with live routes: LUTs, their packing and ports move while every net is routed. Edges that two nets use have a price, until
// there are none left.
#pragma once

#include <cstdint>
#include <optional>

#include "ir/defects.h"
#include "lowering/mapping/netlist/co_state.h"
#include "lowering/mapping/netlist/netlist_layout.h"
#include "lowering/mapping/netlist/packing.h"
#include "lowering/mapping/stop_point.h"

namespace bitgrid::mapping {

struct LiveAnnealParams {
  uint64_t seed = 1;
  LiveCosts costs;
  double cells = 0;          // of the first region; 0: set by utilisation
  double utilisation = 4;    // cells of the first region per LUT
  double hot = 12;           // the first temperature, in edges
  double cold = 0.7;         // the last temperature
  double work = 1e6;         // cells that searches may visit, per LUT and port, in the first round
  int rounds = 2;            // the later ones start from the smallest region, less one line
  double reheat = 3;         // temperature of later rounds
  double later_work = 0.5;   // as a part of the first round's work
  double least_reach = 1.5;  // smallest reach of moves, in cells
  int history = 64;          // price that edges used by two nets gain after each 1024 moves
  double history_heat = 4;   // only below this temperature
  double anneal_moves = 6;   // of the first placement, which uses net lengths (AnnealingParams)
  double anneal_evenness = 1.5;
  bool log = false;  // to stderr
  StopPoint stop_point = nullptr;
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

/// Returns the smallest region that closed, or nothing. `first` packs the same network.
std::optional<PackedLayout> live_anneal(const PackedNetlist& first, const Defects& defects, const LiveAnnealParams& params,
                                        LiveAnnealStats* stats = nullptr);

}  // namespace bitgrid::mapping
