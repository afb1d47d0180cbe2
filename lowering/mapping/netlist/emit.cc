#include "lowering/mapping/netlist/emit.h"

#include <algorithm>
#include <array>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

class Emitter {
 public:
  Emitter(const PackedNetlist& netlist, const Placement& placement, const std::vector<NetRoute>& routes)
      : netlist_(netlist), placement_(placement), routes_(routes), luts_(placement.region.cells()) {}

  GridConfig run() {
    for (size_t n = 0; n < netlist_.nets.size(); ++n) emit_net(n);
    complement_outputs();
    GridConfig grid(placement_.region.width, placement_.region.height);
    for (size_t c = 0; c < luts_.size(); ++c) grid.cells[c] = cell_word(luts_[c]);
    return grid;
  }

 private:
  // The side of its head cell at which an edge arrives.
  unsigned arrival_side(uint32_t edge) const {
    const uint32_t first_port = 4 * placement_.region.cells();
    if (edge >= first_port) return id_of(placement_.region.port_side(edge - first_port));
    return id_of(opposite(edge_side(edge)));
  }

  Lut lut_in_place(const LutNode& node, BlockId cell) const {
    std::array<unsigned, 4> side{};
    for (size_t k = 0; k < node.fanin_count; ++k) {
      const auto& sinks = netlist_.nets[node.fanins[k]].sinks;
      const auto sink = index_of(std::find(sinks.begin(), sinks.end(), cell) - sinks.begin());
      side[k] = arrival_side(routes_[node.fanins[k]].arrivals[sink]);
    }
    Lut table = 0;
    for (unsigned i = 0; i < 16; ++i) {
      unsigned index = 0;
      for (unsigned k = 0; k < node.fanin_count; ++k) index |= ((i >> side[k]) & 1u) << k;
      table = static_cast<Lut>(table | (((node.table >> index) & 1u) << i));
    }
    return table;
  }

  void emit_net(size_t n) {
    const Net& net = netlist_.nets[n];
    for (const RouteHop& hop : routes_[n].hops) {
      if (hop.edge >= 4 * placement_.region.cells()) continue;  // a border input drives itself
      Lut& table = luts_[hop.edge / 4][hop.edge % 4];
      if (hop.from != kNowhere)
        table = kCopy[arrival_side(hop.from)];
      else
        table = net.signal == kConstantSignal ? Lut{0} : lut_in_place(netlist_.network->node_of(net.signal), net.driver);
    }
  }

  void complement_outputs() {
    for (uint32_t o = 0; o < netlist_.outputs(); ++o) {
      if (!netlist_.network->outputs[o].complemented) continue;
      const uint32_t edge = placement_.region.out_edge(placement_.at[netlist_.cells.size() + netlist_.inputs() + o]);
      Lut& table = luts_[edge / 4][edge % 4];
      table = static_cast<Lut>(~table);
    }
  }

  const PackedNetlist& netlist_;
  const Placement& placement_;
  const std::vector<NetRoute>& routes_;
  std::vector<std::array<Lut, 4>> luts_;
};

}  // namespace

GridConfig emit_grid(const PackedNetlist& netlist, const NetlistLayout& layout) {
  return Emitter(netlist, layout.placement, layout.routes).run();
}

}  // namespace bitgrid::mapping
