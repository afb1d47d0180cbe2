#include "lowering/mapping/netlist/router.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <limits>
#include <utility>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

// Of the remaining distance in A*: a little over 1, so that of equally long ways the one nearest to the goal goes on.
constexpr float kEager = 1.02F;

}  // namespace

Router::Router(const PackedNetlist& netlist, NetlistLayout& layout, const DefectMap& defects, const EdgePrices& prices)
    : netlist_(netlist), layout_(layout), prices_(prices) {
  const Region& r = layout.placement.region;
  const uint32_t edges = r.edges();
  users_.resize(edges);
  user_.resize(edges);
  capacity_.assign(edges, 1);
  base_.assign(edges, 1.0F);
  history_.assign(edges, 0.0F);
  price_.assign(edges, 1.0F);
  head_.assign(edges, kNowhere);
  best_.assign(r.cells(), kFar);
  from_.resize(r.cells());
  parent_.resize(edges);
  keep_.resize(edges);
  point_.resize(r.cells());
  for (int y = 0; y < r.height; ++y)
    for (int x = 0; x < r.width; ++x) {
      const uint32_t cell = r.cell(x, y);
      point_[cell] = {static_cast<int16_t>(x), static_cast<int16_t>(y)};
      for (const Side side : kSides) {
        const uint32_t s = id_of(side);
        const int hx = x + dx(side), hy = y + dy(side);
        if (hx >= 0 && hy >= 0 && hx < r.width && hy < r.height) head_[4 * cell + s] = r.cell(hx, hy);
        if (!defects.empty() && defects.bad_edge(x, y, side)) {
          capacity_[4 * cell + s] = 0;
          base_[4 * cell + s] = static_cast<float>(prices_.defect);
        }
      }
    }
  for (uint32_t p = 0; p < r.ports(); ++p) head_[r.in_edge(p)] = r.port_cell(p);
  for (BlockId b = 0; b < netlist.cells.size(); ++b) set_logic(layout.placement.at[b], netlist.cells[b].fanins.size());
  for (uint32_t n = 0; n < layout_.routes.size(); ++n) {
    for (const RouteHop& h : layout_.routes[n].hops) use(h.edge, n);
    if (!connected(n)) prune(n);
  }
  set_prices();
}

void Router::set_prices() {
  for (uint32_t e = 0; e < price_.size(); ++e) set_price(e);
}

void Router::set_present_price(double price) {
  present_ = static_cast<float>(price);
  set_prices();
}

void Router::set_history(std::vector<float> history) {
  history_ = std::move(history);
  set_prices();
}

void Router::set_logic(uint32_t cell, size_t inputs) {
  for (const Side side : kSides) {
    const int x = point_[cell].x + dx(side), y = point_[cell].y + dy(side);
    const Region& r = layout_.placement.region;
    if (x < 0 || y < 0 || x >= r.width || y >= r.height) continue;
    const uint32_t edge = 4 * r.cell(x, y) + id_of(opposite(side));
    if (capacity_[edge] == 0) continue;
    base_[edge] = 1.0F + static_cast<float>(prices_.logic * static_cast<double>(inputs) / 4 + (inputs == 4 ? prices_.full : 0));
    set_price(edge);
  }
}

int Router::distance(uint32_t cell_a, uint32_t cell_b) const {
  return std::abs(point_[cell_a].x - point_[cell_b].x) + std::abs(point_[cell_a].y - point_[cell_b].y);
}

void Router::use(uint32_t edge, uint32_t net) {
  if (users_[edge] == 0)
    user_[edge] = net;
  else
    more_users_[edge].push_back(net);
  overuse_ += users_[edge]++ >= capacity_[edge];
  ++wirelength_;
  set_price(edge);
}

void Router::unuse(uint32_t edge, uint32_t net) {
  overuse_ -= --users_[edge] >= capacity_[edge];
  --wirelength_;
  set_price(edge);
  if (users_[edge] == 0) return;
  const auto more = more_users_.find(edge);
  std::vector<uint32_t>& nets = more->second;
  if (user_[edge] == net)
    user_[edge] = nets.back();
  else
    *std::find(nets.begin(), nets.end(), net) = nets.back();
  nets.pop_back();
  if (nets.empty()) more_users_.erase(more);
}

void Router::add_hop(uint32_t net, uint32_t edge, uint32_t from) {
  layout_.routes[net].hops.push_back({edge, from});
  use(edge, net);
}

NetRoute Router::rip_up(uint32_t net) {
  for (const RouteHop& h : layout_.routes[net].hops) unuse(h.edge, net);
  return std::exchange(layout_.routes[net], {});
}

void Router::restore(uint32_t net, NetRoute route) {
  for (const RouteHop& h : route.hops) use(h.edge, net);
  layout_.routes[net] = std::move(route);
}

bool Router::connected(uint32_t net) const {
  const NetRoute& route = layout_.routes[net];
  return route.arrivals.size() == netlist_.nets[net].sinks.size() &&
         std::find(route.arrivals.begin(), route.arrivals.end(), kNowhere) == route.arrivals.end();
}

bool Router::overused(uint32_t net) const {
  const auto& hops = layout_.routes[net].hops;
  return std::any_of(hops.begin(), hops.end(), [&](const RouteHop& h) { return is_overused(h.edge); });
}

std::vector<uint32_t> Router::overused_edges() const {
  std::vector<uint32_t> result;
  for (uint32_t e = 0; e < users_.size(); ++e)
    if (is_overused(e)) result.push_back(e);
  return result;
}

std::vector<uint16_t> Router::demand() const {
  std::vector<uint16_t> result = users_;
  for (uint32_t e = 0; e < result.size(); ++e) result[e] = static_cast<uint16_t>(result[e] + (is_overused(e) ? 1 - capacity_[e] : 0));
  return result;
}

void Router::remember_overuse(double price) {
  for (uint32_t e = 0; e < users_.size(); ++e)
    if (is_overused(e)) {
      history_[e] += static_cast<float>(price) * static_cast<float>(users_[e] - capacity_[e]);
      set_price(e);
    }
}

std::vector<uint32_t> Router::nets_on(uint32_t edge) const {
  if (users_[edge] == 0) return {};
  std::vector<uint32_t> result{user_[edge]};
  if (const auto more = more_users_.find(edge); more != more_users_.end())
    result.insert(result.end(), more->second.begin(), more->second.end());
  std::sort(result.begin(), result.end());
  return result;
}

void Router::cut_sink(uint32_t net, BlockId sink) {
  const auto& sinks = netlist_.nets[net].sinks;
  const auto i = index_of(std::find(sinks.begin(), sinks.end(), sink) - sinks.begin());
  layout_.routes[net].arrivals[i] = kNowhere;
  prune(net);
}

void Router::cut_overused(uint32_t net) {
  NetRoute& route = layout_.routes[net];
  for (const RouteHop& h : route.hops)  // 1: the way here is overused
    keep_[h.edge] = is_overused(h.edge) || (h.from != kNowhere && keep_[h.from]);
  for (uint32_t& arrival : route.arrivals)
    if (arrival != kNowhere && keep_[arrival]) arrival = kNowhere;
  for (const RouteHop& h : route.hops) keep_[h.edge] = 0;
  prune(net);
}

// Keeps what leads to an arrival; a border input stays in any case.
void Router::prune(uint32_t net) {
  NetRoute& route = layout_.routes[net];
  for (const RouteHop& h : route.hops) parent_[h.edge] = h.from;
  for (const uint32_t arrival : route.arrivals)
    for (uint32_t e = arrival; e != kNowhere && !keep_[e]; e = parent_[e]) keep_[e] = 1;
  const uint32_t first_port = 4 * layout_.placement.region.cells();
  std::erase_if(route.hops, [&](const RouteHop& h) {
    const bool stays = keep_[h.edge] || h.edge >= first_port;
    keep_[h.edge] = 0;
    if (!stays) unuse(h.edge, net);
    return !stays;
  });
}

void Router::route_net(uint32_t id) {
  const Net& net = netlist_.nets[id];
  const Placement& placement = layout_.placement;
  const Region& r = placement.region;
  NetRoute& route = layout_.routes[id];
  route.arrivals.resize(net.sinks.size(), kNowhere);
  if (net.signal == kConstantSignal) {
    if (!route.hops.empty()) return;
    route.arrivals[0] = r.out_edge(placement.at[net.driver]);
    add_hop(id, route.arrivals[0], kNowhere);
    return;
  }
  const uint32_t source = placement.cell_of(netlist_, net.driver);
  if (route.hops.empty() && netlist_.is_input(net.driver)) add_hop(id, r.in_edge(placement.at[net.driver]), kNowhere);
  order_.clear();  // nearest first
  for (size_t i = 0; i < net.sinks.size(); ++i)
    if (route.arrivals[i] == kNowhere) order_.emplace_back(distance(source, placement.cell_of(netlist_, net.sinks[i])), i);
  std::sort(order_.begin(), order_.end());
  for (const auto& [far, sink] : order_) route.arrivals[sink] = connect(id, net.sinks[sink]);
}

void Router::set_box(const Net& net, const NetRoute& route) {
  const Point goal = point_[goal_cell_];
  Point near = goal;
  int nearest = std::numeric_limits<int>::max();
  auto consider = [&](uint32_t cell) {
    if (const int far = distance(cell, goal_cell_); far < nearest) {
      nearest = far;
      near = point_[cell];
    }
  };
  if (netlist_.is_cell(net.driver)) consider(layout_.placement.at[net.driver]);
  for (const RouteHop& h : route.hops)
    if (head_[h.edge] != kNowhere) consider(head_[h.edge]);
  const int margin = prices_.margin + nearest / 4;
  auto clamped = [](int v, int size) { return static_cast<int16_t>(std::clamp(v, 0, size - 1)); };
  const Region& r = layout_.placement.region;
  low_ = {clamped(std::min(goal.x, near.x) - margin, r.width), clamped(std::min(goal.y, near.y) - margin, r.height)};
  high_ = {clamped(std::max(goal.x, near.x) + margin, r.width), clamped(std::max(goal.y, near.y) + margin, r.height)};
}

// A* from the net's tree to the sink; returns the edge that arrives.
uint32_t Router::connect(uint32_t id, BlockId sink) {
  const Net& net = netlist_.nets[id];
  const NetRoute& route = layout_.routes[id];
  const Placement& placement = layout_.placement;
  const bool port = netlist_.is_output(sink);
  goal_cell_ = placement.cell_of(netlist_, sink);
  goal_edge_ = port ? placement.region.out_edge(placement.at[sink]) : kNowhere;
  if (!port)
    for (const RouteHop& h : route.hops)
      if (head_[h.edge] == goal_cell_) return h.edge;
  set_box(net, route);
  auto start = [&](uint32_t cell, uint32_t from) {
    if (in_box(cell)) reach(cell, point_[cell], from, 0.0F);
  };
  if (netlist_.is_cell(net.driver)) start(placement.at[net.driver], kNowhere);
  for (const RouteHop& h : route.hops)
    if (head_[h.edge] != kNowhere) start(head_[h.edge], h.edge);
  search();
  const uint32_t arrival = add_path(id);
  queue_.clear();
  for (const uint32_t c : visited_) best_[c] = kFar;
  visited_.clear();
  return arrival;
}

void Router::reach(uint32_t cell, Point at, uint32_t from, float cost) {
  ++work_;
  if (cost >= best_[cell]) return;
  if (best_[cell] == kFar) visited_.push_back(cell);
  best_[cell] = cost;
  from_[cell] = from;
  const Point goal = point_[goal_cell_];
  const int rest = std::abs(at.x - goal.x) + std::abs(at.y - goal.y);
  queue_.push_back({cost + kEager * static_cast<float>(rest), cost, cell});
  std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
}

// All that comes into a cell can go out anywhere, so cells are the nodes of the search.
void Router::leave(uint32_t cell) {
  const Point p = point_[cell];
  const float cost = best_[cell];
  auto go = [&](Side side, bool inside) {
    if (!inside) return;
    const uint32_t edge = 4 * cell + id_of(side), head = head_[edge];
    const float price = head == goal_cell_ ? price_[edge] - base_[edge] + 1.0F : price_[edge];
    reach(head, {static_cast<int16_t>(p.x + dx(side)), static_cast<int16_t>(p.y + dy(side))}, edge, cost + price);
  };
  go(Side::N, p.y > low_.y);
  go(Side::E, p.x < high_.x);
  go(Side::S, p.y < high_.y);
  go(Side::W, p.x > low_.x);
}

// There always is a path: prices are finite and every cell has neighbours.
void Router::search() {
  for (;;) {
    std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
    const Entry next = queue_.back();
    queue_.pop_back();
    if (next.cell == goal_cell_) return;
    if (next.cost == best_[next.cell]) leave(next.cell);
  }
}

// Cells at price 0 are the tree's own. Returns the edge that arrives.
uint32_t Router::add_path(uint32_t net) {
  path_.clear();
  if (goal_edge_ != kNowhere) path_.push_back(goal_edge_);
  for (uint32_t c = goal_cell_; best_[c] > 0.0F; c = from_[c] / 4) path_.push_back(from_[c]);
  for (size_t i = path_.size(); i-- > 0;) add_hop(net, path_[i], from_[path_[i] / 4]);
  return path_.front();
}

}  // namespace bitgrid::mapping
