// Trees of a CoAnnealState: cutting, finding ways, checking.
#include "ir/index.h"
#include "lowering/mapping/netlist/co_state.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <functional>

#include <fmt/format.h>

namespace bitgrid::mapping {
namespace {}  // namespace

// Takes the dead end at a cell away.
void CoAnnealState::prune(uint32_t c, uint16_t net) {
  for (;;) {
    if (needs(c, net)) return;
    if (is_inside(c))
      for (uint32_t s = 0; s < 4; ++s)
        if (feeds_edge(c, s, net)) return;
    const int side = side_of(c, net);
    if (side < 0) return;
    remove(c, id_of(side), net);
    c = neighbour(c, id_of(side));
    if (!is_inside(c)) return;
  }
}

// Cuts the tree where it enters a cell, and what leads from there, without branching, to the first place that matters: that is an orphan.
void CoAnnealState::orphan(uint32_t c, uint32_t side, uint16_t net) {
  remove(c, side, net);
  for (;;) {
    if (is_inside(c) && c == at_[net]) return;  // it starts there now
    if (needs(c, net)) break;
    int next = -1, count = 0;
    for (uint32_t s = 0; s < 4; ++s)
      if (feeds_edge(c, s, net)) {
        next = int_of(s);
        ++count;
      }
    if (count == 0) return;
    if (count > 1) break;
    c = neighbour(c, id_of(next));
    remove(c, opposite_side(id_of(next)), net);
  }
  orphans_.push_back(c);
}

// Cells of the tree from a cell on.
void CoAnnealState::collect(uint32_t root, uint16_t net, std::vector<uint32_t>& tree) const {
  tree.assign(1, root);
  const bool port = !is_inside(root);
  if (port && root != at_[net]) return;
  for (size_t i = 0; i < tree.size(); ++i) {
    if (!is_inside(tree[i]) && i > 0) continue;  // an output
    for (uint32_t s = 0; s < 4; ++s)
      if ((i > 0 || !port || ((mask_[root] >> s) & 1u)) && feeds_edge(tree[i], s, net)) tree.push_back(neighbour(tree[i], s));
  }
}

bool CoAnnealState::join_orphans(uint16_t net, int64_t budget) {
  // Ports last: the cell beside them may be an orphan.
  std::stable_partition(orphans_.begin(), orphans_.end(), [&](uint32_t c) { return is_inside(c); });
  if (orphan_cells_.size() < orphans_.size()) orphan_cells_.resize(orphans_.size());
  for (size_t i = 0; i < orphans_.size(); ++i) {
    collect(orphans_[i], net, orphan_cells_[i]);
    for (const uint32_t c : orphan_cells_[i]) is_orphan_[c] = 1;
  }
  bool joined = true;
  for (size_t i = 0; i < orphans_.size(); ++i) {
    const bool wanted = orphan_cells_[i].size() > 1 || needs(orphans_[i], net);
    if (joined && wanted) joined = connect(orphans_[i], net, budget - spent());
    for (const uint32_t c : orphan_cells_[i]) is_orphan_[c] = 0;
  }
  return joined;
}

// The tree of a net whose driver has moved follows it, as far as it branches.
bool CoAnnealState::move_driver(uint16_t net, uint32_t from, int64_t budget) {
  orphans_.clear();
  for (uint32_t s = 0; s < 4; ++s)
    if ((is_inside(from) || ((mask_[from] >> s) & 1u)) && feeds_edge(from, s, net)) orphan(neighbour(from, s), opposite_side(s), net);
  const uint32_t to = at_[net];
  if (is_inside(to))
    if (const int side = side_of(to, net); side >= 0) {
      remove(to, id_of(side), net);
      prune(neighbour(to, id_of(side)), net);
    }
  return join_orphans(net, budget);
}

bool CoAnnealState::connect_sinks(std::span<const Sink> sinks, int64_t budget) {
  auto open = [&](const Sink& s) { return !has(s.cell, s.net); };
  auto left = static_cast<int64_t>(std::count_if(sinks.begin(), sinks.end(), open));
  for (const Sink& s : sinks) {
    if (!open(s)) continue;
    --left;
    if (!connect(s.cell, s.net, budget - spent() - LiveCosts::kWire * left)) return false;
  }
  return spent() <= budget;
}

// Cuts the branches that enter a cell.
void CoAnnealState::cut_branches(uint32_t c, uint16_t net, uint32_t side) {
  orphans_.clear();
  orphan(c, side, net);
  for (const uint32_t root : orphans_) branches_.push_back({root, net});
  if (const uint32_t tail = neighbour(c, side); is_inside(tail)) prune(tail, net);
}

// Where logic comes to a cell that others pass, and not all find a way in, those have to look for another one.
void CoAnnealState::make_room(uint32_t c) {
  int passing = 0;
  for (uint32_t s = 0; s < 4; ++s)
    for (const uint16_t n : users(c, s)) passing += !needs(c, n);
  if (passing + logic_[c].need_count <= 4) return;
  for (uint32_t s = 0; s < 4; ++s)
    for (size_t i = users_[4 * c + s]; i-- > 0;)
      if (const uint16_t n = slot_[16 * c + 4 * s + i]; !needs(c, n)) cut_branches(c, n, s);
}

bool CoAnnealState::join_branches(int64_t budget) {
  bool good = true;
  for (size_t i = 0; i < branches_.size() && good; ++i) {
    const uint16_t net = branches_[i].net;
    if (net == kNone) continue;
    orphans_.clear();
    for (size_t j = i; j < branches_.size(); ++j)
      if (branches_[j].net == net) {
        orphans_.push_back(branches_[j].cell);
        branches_[j].net = kNone;
      }
    good = join_orphans(net, budget);
  }
  return good;
}

std::string CoAnnealState::fault() const {
  size_t edges = 0;
  int overuse = 0;
  int64_t energy = 0;
  for (uint32_t c = 0; c < cells(); ++c) {
    int busy = 0;
    for (uint32_t s = 0; s < 4; ++s) {
      const int u = users_[4 * c + s];
      edges += index_of(u);
      overuse += std::max(0, u - 1);
      energy += LiveCosts::kWire * u + overuse_cost_[4 * c + s] * u * (u - 1) / 2 + (u > 0 ? costs_.busy[index_of(busy++)] : 0);
    }
    if (luts(c).size() > 4 || logic_[c].need_count > 4) return fmt::format("cell {} holds too much", c);
    for (const uint16_t lut : luts(c)) {
      if (at_[lut] != c) return fmt::format("LUT {} is not in cell {}", lut, c);
      for (const SignalId f : fanins(network_->node_of(lut)))
        if (!needs(c, short_id(f)) || at_[f] == c) return fmt::format("LUT {} cannot read {} in cell {}", lut, f, c);
    }
    for (size_t i = 0; i < logic_[c].need_count; ++i)
      if (!has(c, logic_[c].needs[i])) return fmt::format("net {} does not reach cell {}", logic_[c].needs[i], c);
  }
  for (ItemId o = id_of(signals()); o < items(); ++o) {
    const SignalId s = network_->outputs[o - signals()].signal;
    if (out_port_[at_[o]] != o) return fmt::format("output {} is not where it should be", o);
    if (s != kConstantSignal && !has(at_[o], short_id(s))) return fmt::format("net {} does not reach output {}", s, o);
  }
  size_t in_trees = 0;
  std::vector<uint32_t> tree;
  for (uint32_t n = 0; n < signals(); ++n) {
    collect(at_[n], short_id(n), tree);
    in_trees += tree.size() - 1;
    std::sort(tree.begin(), tree.end());
    for (size_t i = 1; i < tree.size(); ++i)
      if (tree[i] == tree[i - 1] && is_inside(tree[i])) return fmt::format("net {} comes to cell {} twice", n, tree[i]);
  }
  if (in_trees != edges) return fmt::format("{} edges are used, but {} are in trees", edges, in_trees);
  if (edges != wirelength_ || overuse != overuse_ || energy != energy_) return "counts are off";
  return "";
}

NetRoute CoAnnealState::route_of(const PackedNetlist& netlist, const Net& net, const Placement& placement) const {
  const Region& r = region_;
  NetRoute route;
  if (net.signal == kConstantSignal) {
    route.hops.push_back({r.out_edge(placement.at[net.driver]), kNowhere});
    route.arrivals.push_back(route.hops.back().edge);
    return route;
  }
  const auto id = short_id(net.signal);
  const uint32_t driver = at_[id];
  std::vector<uint32_t> tree;
  collect(driver, id, tree);
  // The edge by which a cell (or, from outside, the output in a ring cell) is entered.
  auto edge_into = [&](uint32_t c) {
    const int side = side_of(c, id);
    if (side < 0) return kNowhere;
    const uint32_t tail = neighbour(c, id_of(side));
    if (!is_inside(tail)) return r.in_edge(port_of(tail));
    return 4 * r.cell(x(tail), y(tail)) + opposite_side(id_of(side));
  };
  auto edge_before = [&](uint32_t c) {
    const uint32_t tail = neighbour(c, id_of(side_of(c, id)));
    return tail == driver ? kNowhere : edge_into(tail);
  };
  if (!is_inside(driver) && tree.size() == 1) route.hops.push_back({r.in_edge(port_of(driver)), kNowhere});
  for (size_t i = 1; i < tree.size(); ++i) route.hops.push_back({edge_into(tree[i]), edge_before(tree[i])});
  for (const BlockId b : net.sinks) {
    const uint32_t at = placement.at[b];
    route.arrivals.push_back(edge_into(netlist.is_cell(b) ? cell(r.x(at), r.y(at)) : ring_cell(at)));
  }
  return route;
}

void CoAnnealState::widen(uint16_t net, uint32_t c) {
  Box& b = box_[net];
  const auto cx = static_cast<int16_t>(x(c)), cy = static_cast<int16_t>(y(c));
  b = {std::min(b.x0, cx), std::min(b.y0, cy), std::max(b.x1, cx), std::max(b.y1, cy)};
}

int CoAnnealState::far_from_net(uint32_t c, uint16_t net) const {
  const Box& b = box_[net];
  const int cx = x(c), cy = y(c);
  return std::max({0, b.x0 - cx, cx - b.x1}) + std::max({0, b.y0 - cy, cy - b.y1});
}

// A* from the sink back to the tree.
bool CoAnnealState::connect(uint32_t goal, uint16_t net, int64_t limit) {
  const uint32_t driver = at_[net];
  widen(net, driver);
  uint32_t start = goal, last_side = 4, first_cost = 0;
  if (!is_inside(goal)) {
    if (has(goal, net)) return true;
    last_side = id_of(std::countr_zero(mask_[goal]));
    if (users_[4 * goal + last_side] == kMostUsers) return false;
    first_cost = static_cast<uint32_t>(price(goal, last_side));
    start = neighbour(goal, last_side);
    if (is_orphan_[start]) return false;
  }
  ++search_;
  queue_.clear();
  auto push = [&](uint32_t cost, uint32_t c) {
    distance_[c] = cost;
    seen_[c] = search_;
    const uint64_t all = cost + id_of(LiveCosts::kWire * far_from_net(c, net));
    if (static_cast<int64_t>(all) > limit) return;
    queue_.push_back(all << 40 | uint64_t{cost} << 20 | c);
    std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
  };
  push(first_cost, start);
  while (!queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
    const auto cost = id_of(queue_.back() >> 20) & 0xfffffu, c = id_of(queue_.back()) & 0xfffffu;
    queue_.pop_back();
    if (cost > distance_[c]) continue;
    ++work_;
    if (c == driver || (has(c, net) && !is_orphan_[c])) {
      for (uint32_t at = c; at != start;) {
        const uint32_t side = toward_[at];
        at -= id_of(offset_[side]);
        add(at, side, net);
      }
      if (last_side < 4) add(goal, last_side, net);
      return true;
    }
    for (uint32_t s = 0; s < 4; ++s) {
      if (!((mask_[c] >> s) & 1u) || users_[4 * c + s] == kMostUsers) continue;
      const uint32_t p = neighbour(c, s);
      if (is_orphan_[p] || (!is_inside(p) && p != driver)) continue;
      const uint32_t now = cost + static_cast<uint32_t>(price(c, s));
      if (seen_[p] == search_ && distance_[p] <= now) continue;
      push(now, p);
      toward_[p] = static_cast<uint8_t>(s);
    }
  }
  return false;
}

}  // namespace bitgrid::mapping
