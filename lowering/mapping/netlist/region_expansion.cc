#include "lowering/mapping/netlist/region_expansion.h"

#include <algorithm>
#include <chrono>

#include "ir/index.h"
#include "lowering/mapping/netlist/router.h"

namespace bitgrid::mapping {
namespace {

// Where lines go in: the `count` places with the most overuse around them, not next to each other.
std::vector<int> peaks(const std::vector<int>& overuse, int count, bool last) {
  const auto size = count_of(overuse);
  constexpr int kNear = 2;
  std::vector<int> around(overuse.size());
  for (int i = 1; i < size; ++i)
    for (int j = std::max(0, i - kNear); j < std::min(size, i + kNear); ++j)
      around[index_of(i)] += overuse[index_of(j)] * (j == i || j == i - 1 ? 3 : 2);
  std::vector<int> before(overuse.size());
  for (; count > 0; --count) {
    int i = 0;
    for (int j = 1; j < size; ++j)
      if (around[index_of(j)] > around[index_of(i)] || (last && around[index_of(j)] == around[index_of(i)])) i = j;
    if (around[index_of(i)] == 0) break;
    before[index_of(i)] = 1;
    for (int j = std::max(0, i - kNear); j <= std::min(size - 1, i + kNear); ++j) around[index_of(j)] = 0;
  }
  return before;
}

NewLines lines_for(const Router& router, const Region& region, const ExpansionParams& params, bool last) {
  std::vector<int> columns(index_of(region.width)), rows(index_of(region.height));
  int across = 0, down = 0;
  for (const uint32_t edge : router.overused_edges()) {
    if (edge >= 4 * region.cells()) continue;
    const auto side = edge_side(edge);
    const uint32_t tail = edge / 4;
    if (side == Side::N || side == Side::S) {
      ++columns[index_of(region.x(tail))];
      ++across;
    } else {
      ++rows[index_of(region.y(tail))];
      ++down;
    }
  }
  auto count = [&](int overuse, int size) {
    if (overuse == 0) return 0;
    return 1 + std::min(static_cast<int>(overuse * params.lines_per_overuse), static_cast<int>(size * params.most_lines));
  };
  return {peaks(columns, count(across, region.width), last), peaks(rows, count(down, region.height), last)};
}

// A move routes the nets of a block again, and the time for one is its tree times its sinks: fewer moves where nets are large.
int repair_moves(const PackedNetlist& netlist, int moves) {
  constexpr size_t kLarge = 48;  // sinks
  size_t largest = kLarge;
  for (const Net& net : netlist.nets) largest = std::max(largest, net.sinks.size());
  return std::max(2, int_of(index_of(moves) * kLarge / largest));
}

// Negotiates; if little is left, blocks near that move.
bool settled(const PackedNetlist& netlist, NetlistLayout& layout, Router& router, const DefectMap& defects, NegotiationParams& negotiation,
             const ExpansionParams& params, Random& random, ExpansionStats& out) {
  int left = negotiate(netlist, router, negotiation, &out.overuse);
  if (left > 0 && left <= params.repair_limit * count_of(netlist.cells) + 4) {
    left = repair(netlist, layout, router, defects, params.repair, random);
    out.overuse.push_back(left);
  }
  return left == 0;
}

}  // namespace

bool route_and_expand(const PackedNetlist& netlist, NetlistLayout& layout, const Defects& defects, const ExpansionParams& params,
                      ExpansionStats* stats) {
  const auto begin = std::chrono::steady_clock::now();
  ExpansionStats local;
  ExpansionStats& out = stats ? *stats : local;
  const double most = params.max_cells > 0 ? params.max_cells : params.max_area * layout.placement.region.cells();
  NegotiationParams negotiation = params.negotiation;
  ExpansionParams bounded = params;
  bounded.repair.moves_per_edge = repair_moves(netlist, params.repair.moves_per_edge);
  std::vector<float> history;
  Random random(params.seed);
  for (int round = 0;; ++round) {
    const Region region = layout.placement.region;
    const DefectMap defect_map(defects, region.width, region.height);
    avoid_bad_cells(netlist, layout, defect_map);
    Router router(netlist, layout, defect_map, params.prices);
    if (!history.empty()) router.set_history(std::move(history));
    const bool closed = settled(netlist, layout, router, defect_map, negotiation, bounded, random, out);
    out.wirelength = router.wirelength();
    out.overuse_left = router.overuse();
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const bool hopeless = round == 0 && router.overuse() > params.hopeless * static_cast<double>(router.wirelength());
    if (closed || hopeless || region.cells() > most) {
      out.users = router.demand();
      return closed;
    }
    const NewLines lines = lines_for(router, region, params, round % 2 == 1);
    const std::vector<uint32_t> moved = insert_lines(netlist, layout, lines);
    const Region now = layout.placement.region;
    history.assign(now.edges(), 0.0F);
    for (uint32_t e = 0; e < moved.size(); ++e) history[moved[e]] = router.history()[e];
    negotiation.present_first = std::max(params.negotiation.present_first, params.present_kept * negotiation.present_first);
    negotiation.whole_nets = 0;
    out.lines += now.width - region.width + now.height - region.height;
    if (now == region) {
      out.users = router.demand();
      return false;
    }
  }
}

}  // namespace bitgrid::mapping
