// Placement by simulated annealing on sites: a regular array of cells that may hold logic, with ports around it.
#pragma once

#include <cstdint>
#include <vector>

#include "lowering/mapping/netlist/netlist_layout.h"
#include "lowering/mapping/netlist/packing.h"
#include "lowering/mapping/stop_point.h"

namespace bitgrid::mapping {

struct GridPoint {
  int x = 0;
  int y = 0;
};

/// columns x rows places for logic cells, listed row by row. Each has its own cell of the region, and these cells roughly ascend along rows
/// and columns.
struct Sites {
  int columns = 1;
  int rows = 1;
  Region region;
  std::vector<GridPoint> at;
};

/// Returns sites that are `pitch` cells apart, in a region with one ring of other cells around them.
Sites regular_sites(int columns, int rows, int pitch);

/// Spreads the same sites evenly over a larger region (at least columns + 2 x rows + 2).
void stretch_sites(Sites& sites, const Region& region);

struct AnnealingParams {
  uint64_t seed = 1;
  double moves_per_block = 1;  // times blocks^(1/3), at each temperature
  double heat = 1;             // the first temperature: 1 melts everything; small values only settle the given placement
  double evenness = 0;         // extra price of wires where many in the same direction are needed; 0: the same price everywhere
  StopPoint stop_point = nullptr;
};

struct AnnealingStats {
  double wirelength = 0;  // half perimeters in edges, corrected for fan-out
  size_t moves = 0;
  double seconds = 0;
};

struct SitePlacement {
  std::vector<uint32_t> place;  // of a logic cell: its site; of a port: its slot, out of `slots` that are spread evenly over the perimeter
  uint32_t slots = 0;
};

/// Shortens nets (half perimeters, corrected for fan-out) by moving cells among sites and ports among slots. With `evenness`, a net costs
/// the price of the places that it passes (demand.h says how much is needed where). Starts from `start` or at random. There are as many
/// slots as border ports, or as many as the netlist's ports if that is more. Several slots then share a border cell, which is enough for a
/// first estimate.
SitePlacement anneal(const PackedNetlist& netlist, const Sites& sites, const AnnealingParams& params, const SitePlacement* start = nullptr,
                     AnnealingStats* stats = nullptr);

/// Gives every slot its own border port. Throws Error if there are too few.
Placement place_on(const PackedNetlist& netlist, const Sites& sites, const SitePlacement& placement);

}  // namespace bitgrid::mapping
