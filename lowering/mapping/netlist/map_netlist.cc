#include "lowering/mapping/netlist/map_netlist.h"

#include "ir/elapsed.h"
#include "ir/error.h"
#include "ir/index.h"
#include "lowering/mapping/netlist/densify.h"
#include "lowering/mapping/netlist/emit.h"
#include "lowering/mapping/netlist/place_and_route.h"
#include "lowering/mapping/settle.h"
#include "lowering/synthesis/logic_graph.h"
#include "lowering/synthesis/simplify.h"

namespace bitgrid::mapping {
namespace {

/// Without times.
MappedKernel kernel_of(const PackedNetlist& netlist, const NetlistLayout& layout) {
  MappedKernel kernel;
  kernel.name = netlist.network->name;
  kernel.strategy = "netlist";
  kernel.grid = emit_grid(netlist, layout);
  kernel.input_bits = id_of(netlist.inputs());
  kernel.output_bits = id_of(netlist.outputs());
  const Region& region = layout.placement.region;
  auto slot = [&](size_t block) {
    const uint32_t port = layout.placement.at[block];
    return BitSlot{region.port_side(port), region.port_position(port), 0};
  };
  for (uint32_t i = 0; i < netlist.inputs(); ++i) kernel.inputs.push_back({i, slot(netlist.cells.size() + i), 1});
  for (uint32_t o = 0; o < netlist.outputs(); ++o) kernel.outputs.push_back(slot(netlist.cells.size() + netlist.inputs() + o));
  return kernel;
}

MappedKernel map_luts(const LutNetwork& network, const NetlistParams& params, NetlistStats& stats) {
  const auto begin = Clock::now();
  verify(network);
  if (network.outputs.empty()) throw Error("netlist " + network.name, "it has no outputs", "add an output");
  const LutNetwork simple = synthesis::simplify(network);
  PackedNetlist netlist = pack(simple, params.packing);
  stats.luts = simple.nodes.size();
  stats.depth = depth(simple);
  stats.pack_seconds = since(begin);
  NetlistLayout layout = place_and_route(netlist, params, stats);
  if (params.effort == Effort::kDense) densify(netlist, layout, params, stats);
  stats.logic_cells = netlist.cells.size();
  const auto timing_begin = Clock::now();
  MappedKernel kernel = kernel_of(netlist, layout);
  settle(kernel, params.skew_inputs);
  stats.time_seconds = since(timing_begin);
  stats.seconds = stats.techmap.seconds + since(begin);
  return kernel;
}

MappedKernel map_gates(const synthesis::LogicGraph& graph, const NetlistParams& params, NetlistStats* stats) {
  NetlistStats local;
  NetlistStats& out = stats ? *stats : local;
  out = {};
  const LutNetwork network = synthesis::map_to_luts(graph, params.techmap, &out.techmap);
  return map_luts(network, params, out);
}

}  // namespace

NetlistSize netlist_size(const LutNetwork& network) {
  const LutNetwork simple = synthesis::simplify(network);
  return {simple.nodes.size(), depth(simple)};
}

MappedKernel map_netlist(const LutNetwork& network, const NetlistParams& params, NetlistStats* stats) {
  NetlistStats local;
  NetlistStats& out = stats ? *stats : local;
  out = {};
  out.techmap.luts = network.nodes.size();
  out.techmap.depth = depth(network);
  return map_luts(network, params, out);
}

MappedKernel map_netlist(const Dag& dag, const NetlistParams& params, NetlistStats* stats) {
  return map_gates(synthesis::logic_graph(dag), params, stats);
}

MappedKernel map_netlist(const CoverNetwork& network, const NetlistParams& params, NetlistStats* stats) {
  return map_gates(synthesis::logic_graph(network), params, stats);
}

}  // namespace bitgrid::mapping
