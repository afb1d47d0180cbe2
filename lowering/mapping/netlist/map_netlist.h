// Maps any acyclic logic onto the grid in settle mode: technology mapping, packing, placement, routing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/cover_network.h"
#include "ir/dag.h"
#include "ir/defects.h"
#include "ir/lut_network.h"
#include "ir/mapped_kernel.h"
#include "lowering/mapping/effort.h"
#include "lowering/mapping/netlist/packing.h"
#include "lowering/mapping/stop_point.h"
#include "lowering/synthesis/techmap.h"

namespace bitgrid::mapping {

struct NetlistParams {
  uint64_t seed = 1;
  Effort effort = Effort::kDefault;
  Defects defects;  // of the tile whose north-west corner the mapping takes
  synthesis::TechmapParams techmap;
  PackingParams packing;
  bool skew_inputs = true;  // let inputs enter in different cycles, for a smaller ii
  double utilisation = 0;   // of the first region's edges (SpreadingParams); 0: set by the effort, and lowered if that does not close
  double max_area = 6;      // as a multiple of the first region's, where it gives up
  double live_work = 0;     // of dense effort's live annealing (LiveAnnealParams::work); 0: set by the effort
  StopPoint stop_point = nullptr;
};

/// One placement and its result.
struct NetlistAttempt {
  std::string method;  // "placed"; "compacted": the best one after compaction; "live": annealed with live routes
  int first_width = 0;
  int first_height = 0;
  int width = 0;  // when routing closed or gave up
  int height = 0;
  std::vector<int> overuse;  // nets beyond the first on an edge, summed over the edges, after each iteration
  int overuse_left = 0;
  size_t wirelength = 0;  // used edges, including border ports
  double place_seconds = 0;
  double route_seconds = 0;
};

struct NetlistStats {
  synthesis::TechmapStats techmap;       // luts and depth before simplification; gates is 0 if the network came as LUTs
  size_t luts = 0;                       // placed
  int depth = 0;                         // of those
  size_t logic_cells = 0;                // cells that hold LUTs
  std::vector<NetlistAttempt> attempts;  // the smallest one that closed was taken
  size_t wirelength = 0;                 // used edges, including border ports
  std::vector<uint16_t> edge_users;      // of the last attempt: nets on each edge, 4 per cell (N, E, S, W), then the border inputs
  double pack_seconds = 0;
  double place_seconds = 0;
  double route_seconds = 0;  // including compaction
  double time_seconds = 0;   // to find ii and phases
  double seconds = 0;        // in total
};

/// The number of LUT4s that map_netlist places, and the longest chain of them.
struct NetlistSize {
  size_t luts = 0;
  int depth = 0;
};
NetlistSize netlist_size(const LutNetwork& network);

/// Maps in settle mode: inputs are held for ii cycles (InputSlot.hold == ii), ports are where the placer put them, and settle() chooses the
/// phases. Regions grow until routing closes. Resident inputs become ordinary ports. The result depends only on input, params and seed.
/// Throws Error with the net, its ends, the region and the setting to change if nothing up to max_area closes, or if the kernel has no
/// outputs.
MappedKernel map_netlist(const LutNetwork& network, const NetlistParams& params = {}, NetlistStats* stats = nullptr);
MappedKernel map_netlist(const Dag& dag, const NetlistParams& params = {}, NetlistStats* stats = nullptr);
MappedKernel map_netlist(const CoverNetwork& network, const NetlistParams& params = {}, NetlistStats* stats = nullptr);

}  // namespace bitgrid::mapping
