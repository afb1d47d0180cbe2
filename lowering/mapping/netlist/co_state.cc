#include "lowering/mapping/netlist/co_state.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <functional>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/index.h"

namespace bitgrid::mapping {

CoAnnealState::CoAnnealState(const LutNetwork& network, const Region& region, const DefectMap& defects, const LiveCosts& costs)
    : network_(&network), region_(region), stride_(region.width + 2), offset_{-stride_, 1, stride_, -1}, costs_(costs) {
  if (items() >= kNone) throw Error("netlist " + network.name, "it is too large for live annealing", "use another --effort");
  const auto cells = index_of(stride_) * index_of(region.height + 2);
  kind_.assign(cells, Kind::kCorner);
  good_.assign(cells, 1);
  mask_.assign(cells, 0);
  slot_.assign(16 * cells, kNone);
  users_.assign(4 * cells, 0);
  busy_.assign(cells, 0);
  overused_at_.assign(4 * cells, 0);
  overuse_cost_.assign(4 * cells, costs.overuse);
  box_.assign(signals(), {1 << 14, 1 << 14, -1, -1});
  logic_.resize(cells);
  in_port_.assign(cells, kNone);
  out_port_.assign(cells, kNone);
  at_.assign(items(), kNowhere);
  is_orphan_.assign(cells, 0);
  distance_.resize(cells);
  seen_.assign(cells, 0);
  toward_.resize(cells);
  for (int y = 0; y < region.height; ++y)
    for (int x = 0; x < region.width; ++x) kind_[cell(x, y)] = Kind::kInside;
  for (uint32_t p = 0; p < region.ports(); ++p) kind_[ring_cell(p)] = Kind::kRing;
  for (uint32_t c = 0; c < cells; ++c) {
    if (kind_[c] == Kind::kCorner) continue;
    if (kind_[c] == Kind::kInside) good_[c] = !defects.touched(x(c), y(c));
    for (const Side side : kSides) {
      const uint32_t s = id_of(side);
      if (kind_[c] == Kind::kInside) {
        const uint32_t tail = neighbour(c, s);
        if (kind_[tail] == Kind::kRing || !defects.bad_edge(x(tail), y(tail), opposite(side)))
          mask_[c] = static_cast<uint8_t>(mask_[c] | 1u << s);
      } else {
        const int tx = x(c) + dx(side), ty = y(c) + dy(side);
        if (tx < 0 || ty < 0 || tx >= region.width || ty >= region.height) continue;
        mask_[c] = static_cast<uint8_t>(1u << s);  // the only neighbour of a port
        good_[c] = !defects.touched(tx, ty);
      }
    }
  }
}

uint32_t CoAnnealState::ring_cell(uint32_t port) const {
  const int position = region_.port_position(port);
  switch (region_.port_side(port)) {
    case Side::N:
      return cell(position, -1);
    case Side::E:
      return cell(region_.width, position);
    case Side::S:
      return cell(position, region_.height);
    case Side::W:
      return cell(-1, position);
  }
  return 0;
}

uint32_t CoAnnealState::port_of(uint32_t c) const {
  if (y(c) < 0) return region_.port_at(Side::N, x(c));
  if (y(c) == region_.height) return region_.port_at(Side::S, x(c));
  return region_.port_at(x(c) < 0 ? Side::W : Side::E, y(c));
}

int CoAnnealState::side_of(uint32_t c, uint16_t net) const {
  for (uint32_t s = 0; s < 4; ++s)
    if (enters(c, s, net)) return int_of(s);
  return -1;
}

bool CoAnnealState::needs(uint32_t c, uint16_t net) const {
  if (kind_[c] == Kind::kRing) return out_port_[c] != kNone && network_->outputs[out_port_[c] - signals()].signal == net;
  const Logic& l = logic_[c];
  return std::find(l.needs.begin(), l.needs.begin() + l.need_count, net) != l.needs.begin() + l.need_count;
}

// The net goes on from the cell to that side.
bool CoAnnealState::feeds_edge(uint32_t c, uint32_t side, uint16_t net) const {
  return enters(neighbour(c, side), opposite_side(side), net);
}

void CoAnnealState::insert(uint32_t c, uint32_t side, uint16_t net) {
  uint8_t& users = users_[4 * c + side];
  energy_ += price(c, side);
  if (users > 0) ++overuse_;
  if (users == 1) {
    overused_at_[4 * c + side] = id_of(overused_.size());
    overused_.push_back(4 * c + side);
  }
  busy_[c] = static_cast<uint8_t>(busy_[c] + (users == 0));
  slot_[16 * c + 4 * side + users++] = net;
  ++wirelength_;
}

void CoAnnealState::erase(uint32_t c, uint32_t side, uint16_t net) {
  uint16_t* slot = &slot_[16 * c + 4 * side];
  uint8_t& users = users_[4 * c + side];
  uint16_t* at = std::find(slot, slot + users, net);
  *at = slot[--users];
  slot[users] = kNone;
  busy_[c] = static_cast<uint8_t>(busy_[c] - (users == 0));
  if (users > 0) --overuse_;
  if (users == 1) {
    overused_at_[overused_.back()] = overused_at_[4 * c + side];
    overused_[overused_at_[4 * c + side]] = overused_.back();
    overused_.pop_back();
  }
  energy_ -= price(c, side);
  --wirelength_;
}

void CoAnnealState::add(uint32_t c, uint32_t side, uint16_t net) {
  insert(c, side, net);
  widen(net, c);
  log_.push_back({c, net, static_cast<uint8_t>(side), true});
}

void CoAnnealState::remove(uint32_t c, uint32_t side, uint16_t net) {
  erase(c, side, net);
  log_.push_back({c, net, static_cast<uint8_t>(side), false});
}

void CoAnnealState::begin() {
  before_ = energy_;
  log_.clear();
  saved_.clear();
  undo_steps_.clear();
  lost_.clear();
  gained_.clear();
}

void CoAnnealState::undo() {
  for (size_t i = log_.size(); i-- > 0;) {
    const Change& change = log_[i];
    if (change.added)
      erase(change.cell, change.side, change.net);
    else
      insert(change.cell, change.side, change.net);
  }
  for (const Saved& s : saved_) {
    logic_[s.cell] = s.logic;
    in_port_[s.cell] = s.in_port;
    out_port_[s.cell] = s.out_port;
  }
  for (const Step& s : undo_steps_) at_[s.item] = s.to;
}

void CoAnnealState::touch(uint32_t c) {
  if (c == kNowhere || std::any_of(saved_.begin(), saved_.end(), [&](const Saved& s) { return s.cell == c; })) return;
  saved_.push_back({c, logic_[c], in_port_[c], out_port_[c]});
}

// Items leave their places and take the new ones. False if these are not free.
bool CoAnnealState::move_items(std::span<const Step> steps) {
  for (const Step& s : steps) {
    undo_steps_.push_back({s.item, at_[s.item]});
    touch(at_[s.item]);
    touch(s.to);
    take(s.item);
  }
  for (const Step& s : steps)
    if (!put(s.item, s.to)) return false;
  return std::all_of(saved_.begin(), saved_.end(), [&](const Saved& s) { return refresh(s.cell, s); });
}

void CoAnnealState::take(ItemId item) {
  const uint32_t c = at_[item];
  if (c == kNowhere) return;
  if (is_lut(item)) {
    Logic& l = logic_[c];
    std::replace(l.luts.begin(), l.luts.begin() + l.lut_count, short_id(item), l.luts[l.lut_count - 1u]);
    --l.lut_count;
  } else {
    (is_output(item) ? out_port_ : in_port_)[c] = kNone;
  }
}

bool CoAnnealState::put(ItemId item, uint32_t to) {
  at_[item] = to;
  if (is_lut(item)) {
    Logic& l = logic_[to];
    if (l.lut_count == 4) return false;
    l.luts[l.lut_count++] = short_id(item);
    return true;
  }
  uint16_t& port = (is_output(item) ? out_port_ : in_port_)[to];
  if (port != kNone) return false;
  port = short_id(item);
  return true;
}

// What a cell reads now, and what of that is new or no more. False if that is too much, or if its LUTs read each other.
bool CoAnnealState::refresh(uint32_t c, const Saved& before) {
  if (kind_[c] == Kind::kRing) {
    auto net = [&](uint16_t port) {
      const SignalId s = port == kNone ? kConstantSignal : network_->outputs[port - signals()].signal;
      return s == kConstantSignal ? kNone : short_id(s);
    };
    const uint16_t now = net(out_port_[c]), old = net(before.out_port);
    if (now == old) return true;
    if (old != kNone) lost_.push_back({c, old});
    if (now != kNone) gained_.push_back({c, now});
    return true;
  }
  Logic& l = logic_[c];
  std::array<uint16_t, 16> all{};
  size_t count = 0;
  for (const uint16_t lut : luts(c))
    for (const SignalId f : fanins(network_->node_of(lut)))
      if (std::find(all.begin(), all.begin() + count, f) == all.begin() + count) all[count++] = short_id(f);
  if (count > 4) return false;
  for (const uint16_t lut : luts(c))
    if (std::find(all.begin(), all.begin() + count, lut) != all.begin() + count) return false;
  const Logic& old = before.logic;
  for (size_t i = 0; i < old.need_count; ++i)
    if (std::find(all.begin(), all.begin() + count, old.needs[i]) == all.begin() + count) lost_.push_back({c, old.needs[i]});
  for (size_t i = 0; i < count; ++i)
    if (std::find(old.needs.begin(), old.needs.begin() + old.need_count, all[i]) == old.needs.begin() + old.need_count)
      gained_.push_back({c, all[i]});
  std::copy_n(all.begin(), count, l.needs.begin());
  l.need_count = static_cast<uint8_t>(count);
  return true;
}

bool CoAnnealState::try_steps(std::span<const Step> steps, int64_t budget) {
  begin();
  bool good = move_items(steps);
  if (good) {
    for (const Sink& s : lost_) prune(s.cell, s.net);
    for (size_t i = 0; i < steps.size() && good; ++i)
      if (!is_output(steps[i].item)) good = move_driver(short_id(steps[i].item), undo_steps_[i].to, budget);
    branches_.clear();
    if (good)
      for (const Step& s : steps)
        if (is_lut(s.item)) make_room(s.to);
    // A net that lost a branch must be whole before another sink looks for it.
    const auto whole = std::stable_partition(gained_.begin(), gained_.end(), [&](const Sink& g) {
      return std::none_of(branches_.begin(), branches_.end(), [&](const Sink& b) { return b.net == g.net; });
    });
    good = good && connect_sinks({gained_.begin(), whole}, budget) && join_branches(budget) &&
           connect_sinks({whole, gained_.end()}, budget) && spent() <= budget;
  }
  if (!good) undo();
  return good;
}

bool CoAnnealState::try_reroute(uint32_t id, int64_t budget) {
  const auto net = short_id(id);
  begin();
  collect(at_[net], net, tree_);
  for (size_t i = 1; i < tree_.size(); ++i) {
    remove(tree_[i], id_of(side_of(tree_[i], net)), net);
    if (needs(tree_[i], net)) gained_.push_back({tree_[i], net});
  }
  const uint32_t from = at_[net];
  box_[net] = {1 << 14, 1 << 14, -1, -1};
  for (const uint32_t c : tree_) widen(net, c);
  auto far = [&](uint32_t c) { return std::abs(x(c) - x(from)) + std::abs(y(c) - y(from)); };
  std::stable_sort(gained_.begin(), gained_.end(), [&](const Sink& a, const Sink& b) { return far(a.cell) < far(b.cell); });
  const bool good = connect_sinks(gained_, budget);
  if (!good) undo();
  return good;
}

bool CoAnnealState::try_reroute_around(std::span<const uint32_t> cells, Random& random, int64_t budget) {
  begin();
  branches_.clear();
  for (const uint32_t c : cells)
    for (uint32_t s = 0; s < 4; ++s)
      while (!users(c, s).empty()) cut_branches(c, users(c, s).front(), s);
  for (size_t i = branches_.size(); i > 1; --i) std::swap(branches_[i - 1], branches_[random.below(id_of(i))]);
  const bool good = join_branches(budget) && spent() <= budget;
  if (!good) undo();
  return good;
}

bool CoAnnealState::start(std::span<const uint32_t> places) {
  begin();
  for (ItemId i = 0; i < items(); ++i) put(i, places[i]);
  for (uint32_t c = 0; c < cells(); ++c)
    if (!refresh(c, {c, {}, kNone, kNone})) return false;
  auto far = [&](const Sink& s) { return std::abs(x(s.cell) - x(at_[s.net])) + std::abs(y(s.cell) - y(at_[s.net])); };
  std::stable_sort(gained_.begin(), gained_.end(), [&](const Sink& a, const Sink& b) { return far(a) < far(b); });
  return connect_sinks(gained_, int64_t{1} << 40);
}

void CoAnnealState::remember_overuse(int cost) {
  constexpr int kMost = 20000;  // path costs stay within 20 bits
  for (const uint32_t e : overused_) {
    if (overuse_cost_[e] + cost > kMost) continue;
    overuse_cost_[e] += cost;
    energy_ += cost * users_[e] * (users_[e] - 1) / 2;
  }
}

}  // namespace bitgrid::mapping
