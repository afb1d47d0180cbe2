#include "lowering/netlist/router.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace bitgrid {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

}  // namespace

Router::Router(const PackedNetlist& netlist, const Placement& placement) : netlist_(netlist), placement_(placement) {
  const uint32_t edges = placement.region.edges();
  routes_.resize(netlist.nets.size());
  users_.resize(edges);
  history_.assign(edges, 1.0F);
  best_.assign(edges, kFar);
  from_.resize(edges);
  parent_.resize(edges);
  keep_.resize(edges);
  head_.resize(edges);
  for (uint32_t e = 0; e < edges; ++e) head_[e] = head_of(e);
}

uint32_t Router::head_of(uint32_t edge) const {
  const Region& r = placement_.region;
  if (edge >= 4 * r.cells()) return r.port_cell(edge - 4 * r.cells());
  const Side side = static_cast<Side>(edge % 4);
  const int x = r.x(edge / 4) + dx(side), y = r.y(edge / 4) + dy(side);
  return x < 0 || y < 0 || x >= r.width || y >= r.height ? kNowhere : r.cell(x, y);
}

int Router::distance(uint32_t cell_a, uint32_t cell_b) const {
  const Region& r = placement_.region;
  return std::abs(r.x(cell_a) - r.x(cell_b)) + std::abs(r.y(cell_a) - r.y(cell_b));
}

void Router::use(uint32_t edge) {
  overuse_ += users_[edge]++ > 0;
  ++wirelength_;
}

void Router::unuse(uint32_t edge) {
  overuse_ -= --users_[edge] > 0;
  --wirelength_;
}

void Router::add_hop(NetRoute& route, uint32_t edge, uint32_t from) {
  route.hops.push_back({edge, from});
  use(edge);
}

NetRoute Router::rip_up(uint32_t net) {
  for (const RouteHop& h : routes_[net].hops) unuse(h.edge);
  return std::exchange(routes_[net], {});
}

void Router::restore(uint32_t net, NetRoute route) {
  for (const RouteHop& h : route.hops) use(h.edge);
  routes_[net] = std::move(route);
}

bool Router::overused(uint32_t net) const {
  return std::any_of(routes_[net].hops.begin(), routes_[net].hops.end(), [&](const RouteHop& h) { return users_[h.edge] > 1; });
}

std::vector<uint32_t> Router::overused_edges() const {
  std::vector<uint32_t> result;
  for (uint32_t e = 0; e < users_.size(); ++e)
    if (users_[e] > 1) result.push_back(e);
  return result;
}

void Router::remember_overuse(double price) {
  for (const uint32_t e : overused_edges()) history_[e] += static_cast<float>(price) * static_cast<float>(users_[e] - 1);
}

std::vector<uint32_t> Router::nets_on(uint32_t edge) const {
  std::vector<uint32_t> result;
  for (uint32_t n = 0; n < routes_.size(); ++n)
    if (std::any_of(routes_[n].hops.begin(), routes_[n].hops.end(), [&](const RouteHop& h) { return h.edge == edge; })) result.push_back(n);
  return result;
}

void Router::cut_sink(uint32_t net, BlockId sink) {
  const auto& sinks = netlist_.nets[net].sinks;
  const auto i = static_cast<size_t>(std::find(sinks.begin(), sinks.end(), sink) - sinks.begin());
  routes_[net].arrivals[i] = kNowhere;
  prune(net);
}

void Router::cut_edge(uint32_t net, uint32_t edge) {
  NetRoute& route = routes_[net];
  for (const RouteHop& h : route.hops) parent_[h.edge] = h.from;
  for (uint32_t& arrival : route.arrivals) {
    uint32_t e = arrival;
    while (e != kNowhere && e != edge) e = parent_[e];
    if (e == edge) arrival = kNowhere;
  }
  prune(net);
}

// Keeps what leads to an arrival; a border input stays in any case.
void Router::prune(uint32_t net) {
  NetRoute& route = routes_[net];
  for (const RouteHop& h : route.hops) parent_[h.edge] = h.from;
  for (const uint32_t arrival : route.arrivals)
    for (uint32_t e = arrival; e != kNowhere && !keep_[e]; e = parent_[e]) keep_[e] = 1;
  const uint32_t first_port = 4 * placement_.region.cells();
  std::erase_if(route.hops, [&](const RouteHop& h) {
    const bool stays = keep_[h.edge] || h.edge >= first_port;
    keep_[h.edge] = 0;
    if (!stays) unuse(h.edge);
    return !stays;
  });
}

void Router::route_net(uint32_t id) {
  const Net& net = netlist_.nets[id];
  const Region& r = placement_.region;
  NetRoute& route = routes_[id];
  route.arrivals.resize(net.sinks.size(), kNowhere);
  if (net.signal == kConstantSignal) {
    if (!route.hops.empty()) return;
    route.arrivals[0] = r.out_edge(placement_.at[net.driver]);
    add_hop(route, route.arrivals[0], kNowhere);
    return;
  }
  const uint32_t source = placement_.cell_of(netlist_, net.driver);
  if (route.hops.empty() && netlist_.is_input(net.driver)) add_hop(route, r.in_edge(placement_.at[net.driver]), kNowhere);
  order_.clear();  // nearest first
  for (size_t i = 0; i < net.sinks.size(); ++i)
    if (route.arrivals[i] == kNowhere) order_.emplace_back(distance(source, placement_.cell_of(netlist_, net.sinks[i])), i);
  std::sort(order_.begin(), order_.end());
  for (const auto& [far, sink] : order_) route.arrivals[sink] = connect(net, net.sinks[sink], route);
}

// A* from the net's tree to the sink; returns the edge that arrives.
uint32_t Router::connect(const Net& net, BlockId sink, NetRoute& route) {
  const bool port = netlist_.is_output(sink);
  goal_cell_ = placement_.cell_of(netlist_, sink);
  goal_edge_ = port ? placement_.region.out_edge(placement_.at[sink]) : kNowhere;
  if (!port)
    for (const RouteHop& h : route.hops)
      if (head_[h.edge] == goal_cell_) return h.edge;
  for (const RouteHop& h : route.hops)
    if (head_[h.edge] != kNowhere) reach(h.edge, h.from, 0.0F);
  if (netlist_.is_cell(net.driver)) leave(placement_.at[net.driver], kNowhere, 0.0F);
  const uint32_t arrival = search();
  add_path(route, arrival);
  queue_.clear();
  for (const uint32_t e : visited_) best_[e] = kFar;
  visited_.clear();
  return arrival;
}

void Router::reach(uint32_t edge, uint32_t from, float cost) {
  if (cost >= best_[edge]) return;
  if (best_[edge] == kFar) visited_.push_back(edge);
  best_[edge] = cost;
  from_[edge] = from;
  const int rest = head_[edge] == kNowhere ? 0 : distance(head_[edge], goal_cell_) + (goal_edge_ != kNowhere);
  queue_.push_back({cost + static_cast<float>(rest), edge});
  std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
}

void Router::leave(uint32_t cell, uint32_t from, float cost) {
  for (uint32_t side = 0; side < 4; ++side) {
    const uint32_t edge = 4 * cell + side;
    if (head_[edge] == kNowhere && edge != goal_edge_) continue;
    reach(edge, from, cost + price(edge));
  }
}

// There always is a path: prices are finite and every cell has neighbours.
uint32_t Router::search() {
  for (;;) {
    std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
    const uint32_t edge = queue_.back().edge;
    queue_.pop_back();
    if (goal_edge_ != kNowhere ? edge == goal_edge_ : head_[edge] == goal_cell_) return edge;
    if (head_[edge] != kNowhere) leave(head_[edge], edge, best_[edge]);
  }
}

// Edges at cost 0 are the tree's own.
void Router::add_path(NetRoute& route, uint32_t arrival) {
  path_.clear();
  for (uint32_t e = arrival; e != kNowhere && best_[e] > 0.0F; e = from_[e]) path_.push_back(e);
  for (size_t i = path_.size(); i-- > 0;) add_hop(route, path_[i], from_[path_[i]]);
}

}  // namespace bitgrid
