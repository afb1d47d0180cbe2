// The state of a routing: which nets use which edges, at what price. Inside routing.cc and repair.cc only.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "lowering/netlist/packing.h"
#include "lowering/netlist/placement.h"
#include "lowering/netlist/routing.h"

namespace bitgrid {

class Router {
 public:
  /// Blocks may move while routes live: rip up their nets before. Both references must outlive the router.
  Router(const PackedNetlist& netlist, const Placement& placement);

  /// Takes a net's edges away, and gives them back.
  NetRoute rip_up(uint32_t net);
  void restore(uint32_t net, NetRoute route);

  /// Takes away the branches to one sink, or to all sinks that a net reaches through an edge; the rest of its tree stays.
  void cut_sink(uint32_t net, BlockId sink);
  void cut_edge(uint32_t net, uint32_t edge);

  /// Connects the sinks that are not connected, each by the cheapest branch at today's prices.
  void route_net(uint32_t net);

  /// Price of an edge that others use, for each of them.
  void set_present_price(double price) { present_ = static_cast<float>(price); }
  /// Makes overused edges dearer for good.
  void remember_overuse(double price);

  bool overused(uint32_t net) const;
  std::vector<uint32_t> overused_edges() const;
  /// Sum over the edges of nets beyond the first.
  int overuse() const { return overuse_; }
  size_t wirelength() const { return wirelength_; }
  /// Nets on an edge.
  std::vector<uint32_t> nets_on(uint32_t edge) const;
  const std::vector<NetRoute>& routes() const { return routes_; }
  bool is_overused(uint32_t edge) const { return users_[edge] > 1; }

 private:
  struct Entry {
    float estimate;
    uint32_t edge;
    bool operator>(const Entry& o) const { return estimate != o.estimate ? estimate > o.estimate : edge > o.edge; }
  };

  uint32_t head_of(uint32_t edge) const;
  int distance(uint32_t cell_a, uint32_t cell_b) const;
  float price(uint32_t edge) const { return history_[edge] * (1.0F + present_ * static_cast<float>(users_[edge])); }
  void use(uint32_t edge);
  void unuse(uint32_t edge);
  void add_hop(NetRoute& route, uint32_t edge, uint32_t from);
  void prune(uint32_t net);
  uint32_t connect(const Net& net, BlockId sink, NetRoute& route);
  void reach(uint32_t edge, uint32_t from, float cost);
  void leave(uint32_t cell, uint32_t from, float cost);
  uint32_t search();
  void add_path(NetRoute& route, uint32_t arrival);

  const PackedNetlist& netlist_;
  const Placement& placement_;
  float present_ = 0;
  int overuse_ = 0;
  size_t wirelength_ = 0;
  std::vector<NetRoute> routes_;
  std::vector<uint16_t> users_;
  std::vector<float> history_;
  std::vector<uint32_t> head_;  // the cell that an edge enters, kNowhere outside

  // Of the running search: to a cell, or to a border output of it.
  uint32_t goal_cell_ = 0;
  uint32_t goal_edge_ = kNowhere;
  std::vector<float> best_;
  std::vector<uint32_t> from_, visited_, path_;
  std::vector<Entry> queue_;  // a heap

  std::vector<uint32_t> parent_;  // of the edges of the net that is being cut
  std::vector<uint8_t> keep_;
  std::vector<std::pair<int, size_t>> order_;  // of sinks to connect
};

}  // namespace bitgrid
