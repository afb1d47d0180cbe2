#include "lowering/netlist/map_netlist.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "ir/error.h"
#include "lowering/netlist/emit.h"
#include "lowering/netlist/logic_graph.h"
#include "lowering/netlist/settle.h"
#include "lowering/netlist/simplify.h"

namespace bitgrid {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// About square, with room for `area` grid cells a logic cell and for all ports.
Region region_for(const PackedNetlist& netlist, double area, int spacing) {
  const double cells = area * static_cast<double>(std::max<size_t>(1, netlist.cells.size()));
  const auto ports = static_cast<int>(std::max(netlist.inputs(), netlist.outputs()));
  Region region;
  region.width = std::max({static_cast<int>(std::ceil(std::sqrt(cells))), (ports + 3) / 4, 3});
  region.height = std::max({static_cast<int>(std::ceil(cells / region.width)), (ports + 3) / 4, 3});
  while (region.sites(spacing) < netlist.cells.size()) ++(region.width <= region.height ? region.width : region.height);
  return region;
}

std::string edge_text(const Region& region, uint32_t edge) {
  if (edge >= 4 * region.cells()) return fmt::format("border input {}", edge - 4 * region.cells());
  return fmt::format("({}, {}) {}", region.x(edge / 4), region.y(edge / 4), letter(static_cast<Side>(edge % 4)));
}

// The first net on an edge that is still wanted twice, from where to where.
[[noreturn]] void give_up(const PackedNetlist& netlist, const Placement& placement, const Routing& routing, const NetlistParams& params) {
  const Region& region = placement.region;
  const std::string where = fmt::format("netlist {}", netlist.network->name);
  const std::string cure =
      fmt::format("raise max_area (now {} grid cells a logic cell), lower packing.max_luts or try another seed", params.max_area);
  const uint32_t edge = routing.overused.front();
  for (size_t n = 0; n < netlist.nets.size(); ++n)
    for (const RouteHop& hop : routing.routes[n].hops) {
      if (hop.edge != edge) continue;
      const Net& net = netlist.nets[n];
      auto place_text = [&](BlockId b) {
        const uint32_t cell = placement.cell_of(netlist, b);
        return fmt::format("{} at ({}, {})", block_name(netlist, b), region.x(cell), region.y(cell));
      };
      throw Error(where,
                  fmt::format("net from {} to {} finds no edge of its own at {} in a region of {} x {} ({} edges are wanted twice)",
                              place_text(net.driver), place_text(net.sinks.front()), edge_text(region, edge), region.width, region.height,
                              routing.overused.size()),
                  cure);
    }
  throw Error(where, "routing did not close", cure);
}

MappedKernel kernel_of(const PackedNetlist& netlist, const Placement& placement, const Routing& routed, const SettleTiming& timing) {
  MappedKernel kernel;
  kernel.name = netlist.network->name;
  kernel.strategy = "netlist";
  kernel.grid = emit_grid(netlist, placement, routed.routes);
  kernel.input_bits = static_cast<uint32_t>(netlist.inputs());
  kernel.output_bits = static_cast<uint32_t>(netlist.outputs());
  kernel.ii = timing.ii;
  const Region& region = placement.region;
  auto slot = [&](size_t block, int phase) {
    const uint32_t port = placement.at[block];
    return BitSlot{region.port_side(port), region.port_position(port), phase};
  };
  for (uint32_t i = 0; i < netlist.inputs(); ++i)
    kernel.inputs.push_back({i, slot(netlist.cells.size() + i, timing.input_phase[i]), timing.ii});
  for (uint32_t o = 0; o < netlist.outputs(); ++o)
    kernel.outputs.push_back(slot(netlist.cells.size() + netlist.inputs() + o, timing.output_phase[o]));
  return kernel;
}

// How much larger the next region must be. Wirelength grows as the root of the area, so its density falls as that root.
double growth(const NetlistAttempt& attempt, const NetlistParams& params) {
  const double excess = attempt.density() / params.max_density;
  return std::max(std::min(excess * excess, 1.6), params.area_growth);
}

MappedKernel place_and_route(const PackedNetlist& netlist, const NetlistParams& params, NetlistStats& stats) {
  Region last;
  for (double area = params.first_area;;) {
    const Region region = region_for(netlist, area, params.placement.spacing);
    if (region.width == last.width && region.height == last.height) {
      area *= params.area_growth;
      continue;
    }
    last = region;
    const bool final_attempt = area * params.area_growth > params.max_area;
    NetlistAttempt attempt{region.width, region.height, {}, {}};
    PlacementParams placing = params.placement;
    placing.seed = params.seed * 1000 + stats.attempts.size();
    placing.demand_cap *= std::pow(std::min(1.0, params.first_area / area), params.spread);
    Placement placement = place(netlist, region, placing, &attempt.placement);
    stats.place_seconds += attempt.placement.seconds;
    Routing routed;
    const bool tried = attempt.density() <= params.max_density || final_attempt;
    if (tried) {
      RoutingParams routing = params.routing;
      routing.seed = placing.seed;
      routed = route(netlist, placement, routing, &attempt.routing);
      stats.route_seconds += attempt.routing.seconds;
      stats.wirelength = attempt.routing.wirelength;
    }
    stats.attempts.push_back(attempt);
    if (tried && routed.closed()) {
      const auto begin = Clock::now();
      const SettleTiming timing = settle_timing(netlist, placement, routed.routes, params.skew_inputs);
      stats.time_seconds = since(begin);
      return kernel_of(netlist, placement, routed, timing);
    }
    if (final_attempt) give_up(netlist, placement, routed, params);
    area = std::min(area * growth(attempt, params), params.max_area);
  }
}

MappedKernel map_luts(const LutNetwork& network, const NetlistParams& params, NetlistStats& stats) {
  const auto begin = Clock::now();
  verify(network);
  if (params.area_growth < 1.01)
    throw Error("netlist " + network.name, fmt::format("area_growth is {}", params.area_growth), "use 1.01 or more, so that regions grow");
  if (network.outputs.empty()) throw Error("netlist " + network.name, "it has no outputs", "add an output");
  const LutNetwork simple = simplify(network);
  const PackedNetlist netlist = pack(simple, params.packing);
  stats.luts = simple.nodes.size();
  stats.depth = depth(simple);
  stats.logic_cells = netlist.cells.size();
  stats.pack_seconds = since(begin);
  MappedKernel kernel = place_and_route(netlist, params, stats);
  stats.seconds = stats.techmap.seconds + since(begin);
  return kernel;
}

MappedKernel map_gates(const LogicGraph& graph, const NetlistParams& params, NetlistStats* stats) {
  NetlistStats local;
  NetlistStats& out = stats ? *stats : local;
  out = {};
  const LutNetwork network = map_to_luts(graph, params.techmap, &out.techmap);
  return map_luts(network, params, out);
}

}  // namespace

MappedKernel map_netlist(const LutNetwork& network, const NetlistParams& params, NetlistStats* stats) {
  NetlistStats local;
  NetlistStats& out = stats ? *stats : local;
  out = {};
  out.techmap.luts = network.nodes.size();
  out.techmap.depth = depth(network);
  return map_luts(network, params, out);
}

MappedKernel map_netlist(const Dag& dag, const NetlistParams& params, NetlistStats* stats) {
  return map_gates(logic_graph(dag), params, stats);
}

MappedKernel map_netlist(const CoverNetwork& network, const NetlistParams& params, NetlistStats* stats) {
  return map_gates(logic_graph(network), params, stats);
}

}  // namespace bitgrid
