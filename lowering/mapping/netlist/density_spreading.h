// A map of a region in which places that want many edges become larger, and others smaller: a density-equalising cartogram (Gastner and
// Newman, Diffusion-based method for producing density-equalizing maps, PNAS 2004).
#pragma once

#include "lowering/mapping/netlist/annealer.h"
#include "lowering/mapping/netlist/packing.h"

namespace bitgrid::mapping {

struct SpreadingParams {
  double utilisation = 0.7;  // of the edges of a part of the region, in its fuller directions, by the estimate of lengths
  double least_area = 5;     // cells for each logic cell
  double strength = 0.6;     // 1: every part gets what it wants; 0: all parts the same
  int bins = 32;             // at most, across
};

/// Region area at which every bin reaches the target utilisation: the sum over bins of the square of edges wanted per cell, since a bin
/// twice as wide has wires twice as long and room for four times as many.
double wanted_cells(const PackedNetlist& netlist, const Placement& placement, const SpreadingParams& params = {});

/// Moves each site to a cell of its own in region `to`, so that every bin gets area in proportion to what `placement` wants there.
void spread_sites(const PackedNetlist& netlist, Sites& sites, const SitePlacement& placement, const Region& to,
                  const SpreadingParams& params = {});

}  // namespace bitgrid::mapping
