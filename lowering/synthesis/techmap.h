// Technology mapping by priority cuts: turns a LogicGraph into a LutNetwork.
#pragma once

#include "ir/lut_network.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::synthesis {

struct TechmapParams {
  int cuts = 16;            // kept per node and pass
  int flow_passes = 2;      // area recovery by area flow
  int exact_passes = 3;     // then by exact local area
  double wire_price = 0.2;  // for exact area: price in LUTs of an input that only this LUT reads
  bool keep_depth = true;   // recover area only at the smallest depth; otherwise depth is free
};

struct TechmapStats {
  size_t gates = 0;  // AND and XOR nodes
  size_t luts = 0;
  int depth = 0;
  double seconds = 0;
};

/// Covers the graph with LUTs of at most four inputs: depth-optimal for the given structure, then area recovery (Mishchenko, Cho,
/// Chatterjee, Brayton: Combinational and sequential mapping with priority cuts, ICCAD 2007). Tables and the flags of outputs absorb
/// complements.
LutNetwork map_to_luts(const LogicGraph& graph, const TechmapParams& params = {}, TechmapStats* stats = nullptr);

}  // namespace bitgrid::synthesis
