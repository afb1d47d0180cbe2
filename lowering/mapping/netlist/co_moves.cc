#include "lowering/mapping/netlist/co_moves.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/index.h"

namespace bitgrid::mapping {

LiveMoves::LiveMoves(const PackedNetlist& netlist, NetlistLayout& layout, Router& router, const DefectMap& defects, Random& random)
    : netlist_(netlist), layout_(layout), router_(router), defects_(defects), random_(random), nets_of_(netlist.blocks()) {
  const Region& r = layout.placement.region;
  cells_.assign(r.cells(), kNowhere);
  ins_.assign(r.ports(), kNowhere);
  outs_.assign(r.ports(), kNowhere);
  for (BlockId b = 0; b < netlist.blocks(); ++b) places_of(b)[layout.placement.at[b]] = b;
  for (uint32_t n = 0; n < netlist.nets.size(); ++n) {
    nets_of_[netlist.nets[n].driver].push_back(n);
    for (const BlockId b : netlist.nets[n].sinks)
      if (b != netlist.nets[n].driver) nets_of_[b].push_back(n);
  }
}

void LiveMoves::exchange(BlockId a, uint32_t to) {
  std::vector<BlockId>& places = places_of(a);
  std::vector<uint32_t>& at = layout_.placement.at;
  const uint32_t from = at[a];
  const BlockId other = places[to];
  places[to] = a;
  places[from] = other;
  at[a] = to;
  if (other != kNowhere) at[other] = from;
  if (!netlist_.is_cell(a)) return;
  router_.set_logic(to, netlist_.cells[a].fanins.size());
  router_.set_logic(from, other == kNowhere ? 0 : netlist_.cells[other].fanins.size());
}

// Takes away what a move invalidates.
void LiveMoves::loosen(uint32_t n, BlockId a, BlockId b) {
  const Net& net = netlist_.nets[n];
  if (net.driver == a || net.driver == b) {
    router_.rip_up(n);
    return;
  }
  for (const BlockId moved : {a, b})
    if (std::find(net.sinks.begin(), net.sinks.end(), moved) != net.sinks.end()) router_.cut_sink(n, moved);
  if (router_.overused(n)) router_.cut_overused(n);
}

// Nets that share an edge with those just routed look for another way.
void LiveMoves::push_aside() {
  constexpr size_t kMost = 6;  // edges
  std::vector<uint32_t> edges;
  for (const uint32_t n : nets_)
    for (const RouteHop& h : router_.routes()[n].hops)
      if (router_.is_overused(h.edge)) edges.push_back(h.edge);
  if (edges.size() > kMost) return;
  const size_t routed = nets_.size();
  for (const uint32_t e : edges)
    for (const uint32_t n : router_.nets_on(e))
      if (std::find(nets_.begin(), nets_.end(), n) == nets_.end()) nets_.push_back(n);
  for (size_t i = routed; i < nets_.size(); ++i) {
    old_.push_back(router_.routes()[nets_[i]]);
    router_.cut_overused(nets_[i]);
  }
  for (size_t i = routed; i < nets_.size(); ++i) router_.route_net(nets_[i]);
}

bool LiveMoves::try_move(BlockId block, uint32_t to, double heat, double wire_price) {
  const uint32_t from = layout_.placement.at[block];
  const BlockId other = places_of(block)[to];
  nets_ = nets_of_[block];
  if (other != kNowhere) nets_.insert(nets_.end(), nets_of_[other].begin(), nets_of_[other].end());
  std::sort(nets_.begin(), nets_.end());
  nets_.erase(std::unique(nets_.begin(), nets_.end()), nets_.end());

  auto energy = [&] { return router_.overuse() + wire_price * static_cast<double>(router_.wirelength()); };
  const double before = energy();
  const int overuse = router_.overuse();
  old_.clear();
  for (const uint32_t n : nets_) old_.push_back(router_.routes()[n]);
  for (const uint32_t n : nets_) loosen(n, block, other);
  exchange(block, to);
  for (const uint32_t n : nets_) router_.route_net(n);
  if (router_.overuse() > overuse) push_aside();
  const double delta = energy() - before;
  if (delta <= 0 || (heat > 0 && random_.unit() < std::exp(-delta / heat))) return true;
  for (const uint32_t n : nets_) router_.rip_up(n);
  exchange(block, from);
  for (size_t i = 0; i < nets_.size(); ++i) router_.restore(nets_[i], std::move(old_[i]));
  return false;
}

uint32_t LiveMoves::place_near(BlockId block, int reach) {
  const Region& r = layout_.placement.region;
  const uint32_t at = layout_.placement.at[block];
  const auto span = id_of(2 * reach + 1);
  auto step = [&] { return int_of(random_.below(span)) - reach; };
  if (netlist_.is_cell(block)) {
    const int x = r.x(at) + step(), y = r.y(at) + step();
    if (!r.is_inner(x, y) || defects_.touched(x, y)) return kNowhere;
    const uint32_t to = r.cell(x, y);
    return to == at ? kNowhere : to;
  }
  const auto ports = int_of(r.ports());
  const auto place = int_of(perimeter_place(r, at)) + step();
  const uint32_t to = port_on_perimeter(r, id_of((place + ports) % ports));
  const uint32_t cell = r.port_cell(to);
  return to == at || defects_.touched(r.x(cell), r.y(cell)) ? kNowhere : to;
}

BlockId LiveMoves::block_near(uint32_t edge) {
  const Region& r = layout_.placement.region;
  const std::vector<uint32_t> nets = router_.nets_on(edge);
  const Net& net = netlist_.nets[nets[random_.below(id_of(nets.size()))]];
  if (random_.below(2) == 0) {
    const uint32_t pick = random_.below(id_of(net.sinks.size() + 1));
    return pick == 0 ? net.driver : net.sinks[pick - 1];
  }
  const uint32_t centre = edge >= 4 * r.cells() ? r.port_cell(edge - 4 * r.cells()) : edge / 4;
  for (int tries = 0; tries < 16; ++tries) {
    const int x = r.x(centre) + int_of(random_.below(5)) - 2, y = r.y(centre) + int_of(random_.below(5)) - 2;
    if (r.is_inner(x, y) && cells_[r.cell(x, y)] != kNowhere) return cells_[r.cell(x, y)];
  }
  return net.driver;
}

int repair(const PackedNetlist& netlist, NetlistLayout& layout, Router& router, const DefectMap& defects, const RepairParams& params,
           Random& random) {
  LiveMoves moves(netlist, layout, router, defects, random);
  router.set_present_price(params.present_price);
  const int tries = params.moves_per_edge * router.overuse();
  std::vector<uint32_t> edges;
  for (int i = 0; i < tries && router.overuse() > 0; ++i) {
    if (i % 16 == 0) edges = router.overused_edges();
    const uint32_t edge = edges[random.below(id_of(edges.size()))];
    if (!router.is_overused(edge)) {
      edges = router.overused_edges();
      continue;
    }
    const BlockId block = moves.block_near(edge);
    const uint32_t to = moves.place_near(block, 1 + int_of(random.below(4)));
    if (to == kNowhere) continue;
    moves.try_move(block, to, params.heat * (1.0 - static_cast<double>(i) / tries), params.wire_price);
  }
  return router.overuse();
}

}  // namespace bitgrid::mapping
