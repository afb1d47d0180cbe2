// Technology mapping: LogicGraph -> LutNetwork, by priority cuts.
#pragma once

#include "ir/lut_network.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::synthesis {

struct TechmapParams {
  int cuts = 16;            // kept for each node and pass
  int flow_passes = 2;      // area recovery by area flow
  int exact_passes = 3;     // then by exact local area
  double wire_price = 0.2;  // in exact area: of an input that only this LUT reads, in LUTs
  bool keep_depth = true;   // recover area only at the smallest depth; otherwise depth is free
};

struct TechmapStats {
  size_t gates = 0;  // AND and XOR nodes
  size_t luts = 0;
  int depth = 0;
  double seconds = 0;
};

/// Covers the graph by LUTs of at most four inputs: depth-optimal on the given structure, then area recovery (Mishchenko, Cho, Chatterjee,
/// Brayton: Combinational and sequential mapping with priority cuts, ICCAD 2007). Complements are absorbed by tables and by the outputs'
/// flags.
LutNetwork map_to_luts(const LogicGraph& graph, const TechmapParams& params = {}, TechmapStats* stats = nullptr);

}  // namespace bitgrid::synthesis
