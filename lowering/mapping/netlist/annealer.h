// Placement by simulated annealing on sites: a regular array of cells that may hold logic, with ports around it.
#pragma once

#include <cstdint>
#include <vector>

#include "lowering/mapping/netlist/netlist_layout.h"
#include "lowering/mapping/netlist/packing.h"

namespace bitgrid::mapping {

struct GridPoint {
  int x = 0;
  int y = 0;
};

/// columns x rows places for logic cells, row by row, each at its own cell of the region (ascending along rows and columns, more or less).
struct Sites {
  int columns = 1;
  int rows = 1;
  Region region;
  std::vector<GridPoint> at;
};

/// Sites `pitch` cells from each other, in a region with one ring of other cells around them.
Sites regular_sites(int columns, int rows, int pitch);

/// The same sites, evenly over a larger region (at least columns + 2 x rows + 2).
void stretch_sites(Sites& sites, const Region& region);

struct AnnealingParams {
  uint64_t seed = 1;
  double moves_per_block = 1;  // times blocks^(1/3), at each temperature
  double heat = 1;             // the first temperature: 1 melts everything; small values only settle what is there
  double evenness = 0;         // extra price of wires where many of the same direction are wanted; 0: the same price everywhere
};

struct AnnealingStats {
  double wirelength = 0;  // half perimeters, corrected for fan-out, in edges
  size_t moves = 0;
  double seconds = 0;
};

struct SitePlacement {
  std::vector<uint32_t> place;  // of a logic cell: its site; of a port: its slot, of `slots` that are spread evenly over the perimeter
  uint32_t slots = 0;
};

/// Shortens net lengths (half perimeters, corrected for fan-out) by moving cells among sites and ports among slots; with `evenness`,
/// lengths at the price of the places that they pass (demand.h says how much is wanted where). Starts from `start` or at random. There are
/// as many slots as border ports, or as the netlist's ports if that is more (then several share a border cell: for a first estimate).
SitePlacement anneal(const PackedNetlist& netlist, const Sites& sites, const AnnealingParams& params, const SitePlacement* start = nullptr,
                     AnnealingStats* stats = nullptr);

/// Every slot gets a border port of its own; throws Error if there are too few.
Placement place_on(const PackedNetlist& netlist, const Sites& sites, const SitePlacement& placement);

}  // namespace bitgrid::mapping
