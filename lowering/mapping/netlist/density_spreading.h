// Distorts a region so that places that need many edges become larger and others smaller. This is a density-equalising cartogram (Gastner
// and Newman, Diffusion-based method for producing density-equalizing maps, PNAS 2004).
#pragma once

#include "lowering/mapping/netlist/annealer.h"
#include "lowering/mapping/netlist/packing.h"

namespace bitgrid::mapping {

struct SpreadingParams {
  double utilisation = 0.7;  // of the edges of a part of the region, in its busier directions, by the estimate of lengths
  double least_area = 5;     // cells per logic cell
  double strength = 0.6;     // 1: every part gets what it needs; 0: all parts get the same
  int bins = 32;             // most bins across
};

/// Returns the region area at which every bin reaches the target utilisation. This is the sum over bins of the square of edges needed per
/// cell, since a bin twice as wide has wires twice as long and room for four times as many.
double wanted_cells(const PackedNetlist& netlist, const Placement& placement, const SpreadingParams& params = {});

/// Moves each site to its own cell in region `to`, so that every bin gets area in proportion to what `placement` needs there.
void spread_sites(const PackedNetlist& netlist, Sites& sites, const SitePlacement& placement, const Region& to,
                  const SpreadingParams& params = {});

}  // namespace bitgrid::mapping
