// The state of a routing: which nets use which edges, and at what price.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/defects.h"
#include "lowering/mapping/netlist/netlist_layout.h"
#include "lowering/mapping/netlist/packing.h"

namespace bitgrid::mapping {

/// Prices of edges. A free edge costs 1.
struct EdgePrices {
  double logic = 1;     // extra price for entering a cell that holds logic: times its inputs over 4
  double full = 2;      // extra price if the cell's own logic uses all four inputs
  int margin = 6;       // a branch stays within the box of its sink and the nearest part of the tree, widened by this plus a quarter
  double defect = 200;  // price of an edge of a bad cell, so that a path always exists
};

class Router {
 public:
  /// Takes over the routes of the layout and works on it in place. Blocks may move while routes are live: first rip up their nets, then
  /// call set_logic for the cells that now hold logic, or no longer do. All references must outlive the router.
  Router(const PackedNetlist& netlist, NetlistLayout& layout, const DefectMap& defects, const EdgePrices& prices = {});

  /// Removes a net's edges and returns them.
  NetRoute rip_up(uint32_t net);
  void restore(uint32_t net, NetRoute route);

  /// Removes the branch to one sink. The rest of the tree stays.
  void cut_sink(uint32_t net, BlockId sink);
  /// Removes the branches through overused edges.
  void cut_overused(uint32_t net);

  /// Connects the sinks that are not connected, each by the cheapest branch at current prices.
  void route_net(uint32_t net);
  bool connected(uint32_t net) const;

  /// Sets the price of a used edge, per other user.
  void set_present_price(double price);
  /// Permanently raises the price of overused edges.
  void remember_overuse(double price);
  const std::vector<float>& history() const { return history_; }
  void set_history(std::vector<float> history);
  void set_logic(uint32_t cell, size_t inputs);

  bool overused(uint32_t net) const;
  bool is_overused(uint32_t edge) const { return users_[edge] > capacity_[edge]; }
  std::vector<uint32_t> overused_edges() const;
  /// Returns the number of nets beyond capacity, summed over the edges.
  int overuse() const { return overuse_; }
  size_t wirelength() const { return wirelength_; }
  /// Returns how many edges searches have visited: a measure of time that does not depend on the machine.
  uint64_t work() const { return work_; }
  /// Returns the nets on an edge, in ascending order.
  std::vector<uint32_t> nets_on(uint32_t edge) const;
  const std::vector<uint16_t>& users() const { return users_; }
  /// The same, with one more on used bad edges, as if the defect were a net.
  std::vector<uint16_t> demand() const;
  const std::vector<NetRoute>& routes() const { return layout_.routes; }

 private:
  struct Entry {
    float estimate, cost;
    uint32_t cell;
    bool operator>(const Entry& o) const { return estimate != o.estimate ? estimate > o.estimate : cell > o.cell; }
  };
  struct Point {
    int16_t x, y;
  };

  int distance(uint32_t cell_a, uint32_t cell_b) const;
  bool in_box(uint32_t cell) const {
    const Point p = point_[cell];
    return p.x >= low_.x && p.y >= low_.y && p.x <= high_.x && p.y <= high_.y;
  }
  void set_price(uint32_t edge) {
    const int over = users_[edge] + 1 - capacity_[edge];
    price_[edge] = (base_[edge] + history_[edge]) * (over <= 0 ? 1.0F : 1.0F + present_ * static_cast<float>(over));
  }
  void set_prices();
  void use(uint32_t edge, uint32_t net);
  void unuse(uint32_t edge, uint32_t net);
  void add_hop(uint32_t net, uint32_t edge, uint32_t from);
  void prune(uint32_t net);
  void set_box(const Net& net, const NetRoute& route);
  uint32_t connect(uint32_t net, BlockId sink);
  void reach(uint32_t cell, Point at, uint32_t from, float cost);
  void leave(uint32_t cell);
  void search();
  uint32_t add_path(uint32_t net);

  const PackedNetlist& netlist_;
  NetlistLayout& layout_;
  EdgePrices prices_;
  float present_ = 0;
  int overuse_ = 0;
  size_t wirelength_ = 0;
  uint64_t work_ = 0;
  std::vector<uint16_t> users_;
  std::vector<uint32_t> user_;                                      // one of the nets on an edge,
  std::unordered_map<uint32_t, std::vector<uint32_t>> more_users_;  // and the others
  std::vector<uint8_t> capacity_;
  std::vector<float> base_, history_;
  std::vector<float> price_;    // of one more user, now
  std::vector<uint32_t> head_;  // the cell that an edge enters, kNowhere outside
  std::vector<Point> point_;    // of cells

  // Of the current search: to a cell, or to a border output of it.
  uint32_t goal_cell_ = 0;
  uint32_t goal_edge_ = kNowhere;
  Point low_{}, high_{};        // the box that the search stays in
  std::vector<float> best_;     // of cells: the price of reaching them
  std::vector<uint32_t> from_;  // and the edge that comes in; kNowhere at the driver
  std::vector<uint32_t> visited_, path_;
  std::vector<Entry> queue_;  // a heap

  std::vector<uint32_t> parent_;  // of the edges of the net that is being cut
  std::vector<uint8_t> keep_;
  std::vector<std::pair<int, size_t>> order_;  // of sinks to connect
};

}  // namespace bitgrid::mapping
