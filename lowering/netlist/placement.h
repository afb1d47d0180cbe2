// Placement by simulated annealing.
#pragma once

#include <cstdint>
#include <vector>

#include "lowering/netlist/packing.h"
#include "lowering/netlist/region.h"

namespace bitgrid {

/// at[b]: cell of a logic block, port of an input or output block.
struct Placement {
  Region region;
  std::vector<uint32_t> at;

  /// The cell that block b is in, or whose border it is on.
  uint32_t cell_of(const PackedNetlist& netlist, BlockId b) const { return netlist.is_cell(b) ? at[b] : region.port_cell(at[b]); }
};

struct PlacementParams {
  uint64_t seed = 1;
  int spacing = 4;             // sites: see Region::is_site
  double moves_per_block = 5;  // times blocks^(1/3), at each temperature
  double cooling = 0.9;
  double demand_cap = 2;     // routing demand (edges a cell) above which a cell is charged quadratically
  double demand_weight = 2;  // of that charge
};

struct PlacementStats {
  double wirelength = 0;  // half perimeters, corrected for fan-out, in edges
  double overflow = 0;    // sum of squares of demand above the cap
  size_t moves = 0;
  double seconds = 0;
};

/// Net lengths (half perimeter) plus a charge on demand that exceeds the cap, demand being each net's length spread evenly over its
/// bounding box. The region must have a site for every logic cell and enough ports: throws Error otherwise.
Placement place(const PackedNetlist& netlist, const Region& region, const PlacementParams& params = {}, PlacementStats* stats = nullptr);

}  // namespace bitgrid
