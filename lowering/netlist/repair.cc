#include "lowering/netlist/repair.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

namespace bitgrid {
namespace {

constexpr double kWirePrice = 0.02;  // of an edge used, in overused edges

class Repair {
 public:
  Repair(const PackedNetlist& netlist, Placement& placement, Router& router, const RoutingParams& params)
      : netlist_(netlist), placement_(placement), router_(router), params_(params), rng_(params.seed), nets_of_(netlist.blocks()) {
    const Region& r = placement.region;
    cells_.assign(r.cells(), kNowhere);
    ins_.assign(r.ports(), kNowhere);
    outs_.assign(r.ports(), kNowhere);
    for (BlockId b = 0; b < netlist.blocks(); ++b) places_of(b)[placement.at[b]] = b;
    for (uint32_t n = 0; n < netlist.nets.size(); ++n) {
      nets_of_[netlist.nets[n].driver].push_back(n);
      for (const BlockId b : netlist.nets[n].sinks)
        if (b != netlist.nets[n].driver) nets_of_[b].push_back(n);
    }
  }

  void run(RoutingStats& stats) {
    const int moves = params_.repair_moves * static_cast<int>(netlist_.blocks());
    const int round = std::max(1, static_cast<int>(netlist_.blocks()) / 2);
    for (int m = 0; m < moves && router_.overuse() > 0; ++m) {
      if (m % round == round - 1) router_.remember_overuse(params_.history);
      const double heat = params_.repair_heat * (1.0 - static_cast<double>(m) / moves);
      ++stats.repair_tried;
      stats.repair_accepted += try_move(heat);
    }
  }

 private:
  std::vector<BlockId>& places_of(BlockId b) { return netlist_.is_cell(b) ? cells_ : netlist_.is_input(b) ? ins_ : outs_; }

  uint64_t random(uint64_t n) { return rng_() % n; }

  double energy() const { return router_.overuse() + kWirePrice * static_cast<double>(router_.wirelength()); }

  // A block of a net on the edge, or one close to it.
  BlockId choose_block(uint32_t edge, const std::vector<uint32_t>& nets) {
    const Region& r = placement_.region;
    if (random(2) == 0) {
      const Net& net = netlist_.nets[nets[random(nets.size())]];
      const uint64_t pick = random(net.sinks.size() + 1);
      return pick == 0 ? net.driver : net.sinks[pick - 1];
    }
    const uint32_t centre = edge >= 4 * r.cells() ? r.port_cell(edge - 4 * r.cells()) : edge / 4;
    for (int tries = 0; tries < 16; ++tries) {
      const uint32_t cell = near(centre, 2);
      if (cell != kNowhere && cells_[cell] != kNowhere) return cells_[cell];
    }
    return netlist_.nets[nets[0]].driver;
  }

  // A random inner cell at most `reach` away in x and in y, or kNowhere.
  uint32_t near(uint32_t cell, int reach) {
    const Region& r = placement_.region;
    const auto span = static_cast<uint64_t>(2 * reach + 1);
    const int x = r.x(cell) + static_cast<int>(random(span)) - reach, y = r.y(cell) + static_cast<int>(random(span)) - reach;
    if (x < 1 || y < 1 || x >= r.width - 1 || y >= r.height - 1) return kNowhere;
    return r.cell(x, y);
  }

  uint32_t choose_target(BlockId b) {
    if (netlist_.is_cell(b)) return near(placement_.at[b], 1 + static_cast<int>(random(4)));
    const auto ports = static_cast<int>(placement_.region.ports());
    const int offset = static_cast<int>(random(13)) - 6;
    return static_cast<uint32_t>((static_cast<int>(placement_.at[b]) + offset + ports) % ports);
  }

  void exchange(BlockId a, uint32_t to) {
    std::vector<BlockId>& places = places_of(a);
    const uint32_t from = placement_.at[a];
    const BlockId other = places[to];
    places[to] = a;
    places[from] = other;
    placement_.at[a] = to;
    if (other != kNowhere) placement_.at[other] = from;
  }

  bool try_move(double heat) {
    const std::vector<uint32_t> edges = router_.overused_edges();
    const uint32_t edge = edges[random(edges.size())];
    std::vector<uint32_t> nets = router_.nets_on(edge);
    const BlockId block = choose_block(edge, nets);
    const uint32_t from = placement_.at[block], to = choose_target(block);
    if (to == kNowhere || to == from) return false;
    const BlockId other = places_of(block)[to];
    nets.insert(nets.end(), nets_of_[block].begin(), nets_of_[block].end());
    if (other != kNowhere) nets.insert(nets.end(), nets_of_[other].begin(), nets_of_[other].end());
    std::sort(nets.begin(), nets.end());
    nets.erase(std::unique(nets.begin(), nets.end()), nets.end());

    const double before = energy();
    old_.clear();
    for (const uint32_t n : nets) old_.push_back(router_.routes()[n]);
    for (const uint32_t n : nets) loosen(n, block, other, edge);
    exchange(block, to);
    for (const uint32_t n : nets) router_.route_net(n);
    const double delta = energy() - before;
    const double draw = static_cast<double>(rng_() >> 11) * 0x1.0p-53;
    if (delta <= 0 || (heat > 0 && draw < std::exp(-delta / heat))) return true;
    for (const uint32_t n : nets) router_.rip_up(n);
    exchange(block, from);
    for (size_t i = 0; i < nets.size(); ++i) router_.restore(nets[i], std::move(old_[i]));
    return false;
  }

  // Takes away what the move invalidates, and what crosses the edge.
  void loosen(uint32_t n, BlockId a, BlockId b, uint32_t edge) {
    const Net& net = netlist_.nets[n];
    if (net.driver == a || net.driver == b) {
      router_.rip_up(n);
      return;
    }
    for (const BlockId moved : {a, b})
      if (std::find(net.sinks.begin(), net.sinks.end(), moved) != net.sinks.end()) router_.cut_sink(n, moved);
    router_.cut_edge(n, edge);
  }

  const PackedNetlist& netlist_;
  Placement& placement_;
  Router& router_;
  const RoutingParams& params_;
  std::mt19937_64 rng_;
  std::vector<std::vector<uint32_t>> nets_of_;
  std::vector<NetRoute> old_;
  std::vector<BlockId> cells_, ins_, outs_;  // block at a place, or kNowhere
};

}  // namespace

void repair(const PackedNetlist& netlist, Placement& placement, Router& router, const RoutingParams& params, RoutingStats& stats) {
  Repair(netlist, placement, router, params).run(stats);
}

}  // namespace bitgrid
