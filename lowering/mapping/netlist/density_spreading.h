// A map of a region in which places that want many edges become larger, and others smaller: a density-equalising cartogram (Gastner and
// Newman, Diffusion-based method for producing density-equalizing maps, PNAS 2004).
#pragma once

#include "lowering/mapping/netlist/annealer.h"
#include "lowering/mapping/netlist/packing.h"

namespace bitgrid::mapping {

struct WarpParams {
  double utilisation = 0.7;  // of the edges of a part of the region, in its fuller directions, by the estimate of lengths
  double least_area = 5;     // cells for each logic cell
  double strength = 0.6;     // 1: every part gets what it wants; 0: all parts the same
  int bins = 32;             // at most, across
};

/// Cells of a region in which every part of it would be used as far as wanted, were it as large as it wants to be. The sum over parts of
/// the square of edges wanted a cell: twice as large a part has wires twice as long, and room for four times as many.
double wanted_cells(const PackedNetlist& netlist, const Placement& placement, const WarpParams& params = {});

/// Moves the sites, each to a cell of its own in region `to`, so that parts of it are as large as what `placement` puts there wants to be.
void warp_sites(const PackedNetlist& netlist, Sites& sites, const SitePlacement& placement, const Region& to,
                const WarpParams& params = {});

}  // namespace bitgrid::mapping
