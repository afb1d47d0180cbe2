// Any acyclic logic onto the grid: technology mapping, packing, placement, routing, in settle mode.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/cover_network.h"
#include "ir/dag.h"
#include "ir/lut_network.h"
#include "ir/mapped_kernel.h"
#include "lowering/netlist/packing.h"
#include "lowering/netlist/placement.h"
#include "lowering/netlist/routing.h"
#include "lowering/netlist/techmap.h"

namespace bitgrid {

struct NetlistParams {
  uint64_t seed = 1;
  TechmapParams techmap;
  PackingParams packing;
  PlacementParams placement;  // its seed is derived from the one above
  RoutingParams routing;
  double first_area = 6;      // region of the first attempt, in grid cells a logic cell (more if the ports need it)
  double area_growth = 1.12;  // from one attempt to the next
  double max_area = 150;      // where to give up
  double max_density = 1.7;   // placed wirelength a grid cell above which routing is not tried: the region grows at once
  double spread = 0.5;        // placement.demand_cap shrinks with this power of the growth of the region: room is of use only if it is used
  bool skew_inputs = true;    // let inputs enter at different cycles, for a smaller ii
};

struct NetlistAttempt {
  int width = 0;
  int height = 0;
  PlacementStats placement;
  RoutingStats routing;  // empty if the placement was too dense to try

  double density() const { return placement.wirelength / (width * height); }
};

struct NetlistStats {
  TechmapStats techmap;                  // luts and depth before simplification; gates 0 if the network came as LUTs
  size_t luts = 0;                       // placed
  int depth = 0;                         // of them
  size_t logic_cells = 0;                // cells that hold LUTs
  std::vector<NetlistAttempt> attempts;  // the last one closed
  size_t wirelength = 0;                 // edges used, border ports included
  double pack_seconds = 0;
  double place_seconds = 0;
  double route_seconds = 0;
  double time_seconds = 0;  // of finding ii and phases
  double seconds = 0;       // all together
};

/// Maps in settle mode: inputs are held for ii cycles (InputSlot.hold == ii), ports are where the placer put them, phases as settle_timing
/// chooses. Regions grow until routing closes. Resident inputs become ordinary ports. The result depends on input, params and seed only.
/// Throws Error naming net, from where to where, region and knob if nothing up to max_area closes, or if the kernel has no outputs.
MappedKernel map_netlist(const LutNetwork& network, const NetlistParams& params = {}, NetlistStats* stats = nullptr);
MappedKernel map_netlist(const Dag& dag, const NetlistParams& params = {}, NetlistStats* stats = nullptr);
MappedKernel map_netlist(const CoverNetwork& network, const NetlistParams& params = {}, NetlistStats* stats = nullptr);

}  // namespace bitgrid
