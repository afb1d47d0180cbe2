// A placement with its routes on cells that count what enters them. This is the state of live annealing; it is cheap to change and to
// restore.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/defects.h"
#include "ir/index.h"
#include "lowering/mapping/netlist/netlist_layout.h"
#include "lowering/mapping/netlist/packing.h"
#include "lowering/mapping/netlist/random.h"

namespace bitgrid::mapping {

/// Sides are numbered N, E, S, W.
constexpr uint32_t opposite_side(uint32_t side) {
  return (side + 2) % 4;
}

/// Energies in units of 1 / kWire of a used edge.
struct LiveCosts {
  static constexpr int kWire = 16;
  int overuse = 250;                    // of a second net on an edge; twice as much for a third, and so on
  std::array<int, 4> busy{0, 1, 3, 6};  // of the first, second, third and fourth used edge that enters a cell
};

/// LUTs are placed one by one. Those that share a cell are packed (at most 4, with at most 4 distinct inputs, none reading another). The
/// region has a ring of port cells around it for input and output ports, so that (x, y) of the region is at (x + 1, y + 1). A net is a
/// signal of the network. Its tree enters every cell at most once; where it enters a cell, the cell can read it and it can leave by any
/// edge.
class CoAnnealState {
 public:
  static constexpr int kMostUsers = 4;  // nets on an edge
  static constexpr uint16_t kNone = 0xffff;

  /// What can be placed: signals (inputs on the ring, LUTs inside), then outputs.
  using ItemId = uint32_t;
  /// Converts an item to the 16 bits that the lists of cells and edges hold. No item has a larger number.
  static uint16_t short_id(ItemId i) { return static_cast<uint16_t>(i); }
  struct Step {
    ItemId item = 0;
    uint32_t to = 0;  // cell
  };

  /// Starts with nothing placed. Throws Error if there are more items than 16 bits can number. The network must outlive it.
  CoAnnealState(const LutNetwork& network, const Region& region, const DefectMap& defects, const LiveCosts& costs);

  const LutNetwork& network() const { return *network_; }
  const Region& region() const { return region_; }
  uint32_t cells() const { return id_of(mask_.size()); }
  uint32_t cell(int x, int y) const { return id_of((y + 1) * stride_ + x + 1); }  // of the region's (x, y)
  int x(uint32_t c) const { return int_of(c) % stride_ - 1; }
  int y(uint32_t c) const { return int_of(c) / stride_ - 1; }
  bool is_inside(uint32_t c) const { return kind_[c] == Kind::kInside; }
  /// Returns whether logic, or a port, may be here: the cell is on the right side of the border and has no defect.
  bool is_good(uint32_t c, bool port) const { return kind_[c] == (port ? Kind::kRing : Kind::kInside) && good_[c]; }
  uint32_t ring_cell(uint32_t port) const;
  uint32_t port_of(uint32_t ring_cell) const;

  size_t signals() const { return network_->inputs.size() + network_->nodes.size(); }
  size_t items() const { return signals() + network_->outputs.size(); }
  bool is_lut(ItemId i) const { return i >= network_->inputs.size() && i < signals(); }
  bool is_output(ItemId i) const { return i >= signals(); }
  uint32_t place(ItemId i) const { return at_[i]; }
  /// Returns the LUTs in a cell, as items.
  std::span<const uint16_t> luts(uint32_t c) const { return {logic_[c].luts.data(), logic_[c].lut_count}; }
  /// Returns the input (or output) port in a ring cell, as an item, or kNone.
  uint16_t input_at(uint32_t c) const { return in_port_[c]; }
  uint16_t output_at(uint32_t c) const { return out_port_[c]; }

  /// Makes all the steps if the cells stay legal and the energy does not rise by more than `budget`. Otherwise nothing changes. The search
  /// for routes ends as soon as the budget is spent.
  bool try_steps(std::span<const Step> steps, int64_t budget);
  /// Routes a net from scratch, by the same rule.
  bool try_reroute(uint32_t net, int64_t budget);
  /// Routes all branches that enter some cells again, in a random order drawn from `random`, by the same rule.
  bool try_reroute_around(std::span<const uint32_t> cells, Random& random, int64_t budget);

  /// Places all items and routes all nets. Returns false if a net cannot be routed at all (because of walls of defects or of full edges).
  bool start(std::span<const uint32_t> places);

  /// Returns what is wrong with this state, if anything. This checker is for tests and recomputes everything.
  std::string fault() const;

  std::span<const uint16_t> users(uint32_t c, uint32_t side) const { return {&slot_[16 * c + 4 * side], users_[4 * c + side]}; }
  /// Returns the tree of a net in the terms of a layout that has the same placement.
  NetRoute route_of(const PackedNetlist& netlist, const Net& net, const Placement& placement) const;

  int64_t energy() const { return energy_; }
  /// Returns the edges with more than one net, as 4 * cell + the side by which they enter it, in no particular order.
  const std::vector<uint32_t>& overused() const { return overused_; }
  int overuse() const { return overuse_; }
  size_t wirelength() const { return wirelength_; }
  /// Returns how many cells searches have visited: a measure of time that does not depend on the machine.
  uint64_t work() const { return work_; }
  /// Permanently raises the price of a second net on the edges that have one now.
  void remember_overuse(int cost);

 private:
  friend class LiveStateTest;
  enum class Kind : uint8_t { kCorner, kRing, kInside };
  struct Logic {
    std::array<uint16_t, 4> luts{};
    std::array<uint16_t, 4> needs{};  // nets
    uint8_t lut_count = 0;
    uint8_t need_count = 0;
  };
  struct Change {
    uint32_t cell;
    uint16_t net;
    uint8_t side;
    bool added;
  };
  struct Sink {
    uint32_t cell;
    uint16_t net;
  };
  struct Box {
    int16_t x0, y0, x1, y1;
  };

  struct Saved {
    uint32_t cell;
    Logic logic;
    uint16_t in_port, out_port;
  };

  uint32_t neighbour(uint32_t c, uint32_t side) const { return c + id_of(offset_[side]); }
  bool enters(uint32_t c, uint32_t side, uint16_t net) const {
    for (const uint16_t n : users(c, side))
      if (n == net) return true;
    return false;
  }
  bool has(uint32_t c, uint16_t net) const {
    const uint16_t* slot = &slot_[16 * c];
    unsigned found = 0;
    for (int i = 0; i < 16; ++i) found |= slot[i] == net;
    return found != 0;
  }
  int side_of(uint32_t c, uint16_t net) const;
  bool needs(uint32_t c, uint16_t net) const;
  bool feeds_edge(uint32_t c, uint32_t side, uint16_t net) const;
  int price(uint32_t c, uint32_t side) const {
    const int users = users_[4 * c + side];
    return LiveCosts::kWire + (users == 0 ? costs_.busy[busy_[c]] : overuse_cost_[4 * c + side] * users);
  }
  void insert(uint32_t c, uint32_t side, uint16_t net);
  void erase(uint32_t c, uint32_t side, uint16_t net);
  void add(uint32_t c, uint32_t side, uint16_t net);
  void remove(uint32_t c, uint32_t side, uint16_t net);
  void begin();
  void undo();

  void touch(uint32_t c);
  bool move_items(std::span<const Step> steps);
  void take(ItemId item);
  bool put(ItemId item, uint32_t to);
  bool refresh(uint32_t c, const Saved& before);
  void prune(uint32_t c, uint16_t net);
  void orphan(uint32_t c, uint32_t side, uint16_t net);
  void collect(uint32_t root, uint16_t net, std::vector<uint32_t>& tree) const;
  bool join_orphans(uint16_t net, int64_t budget);
  void cut_branches(uint32_t c, uint16_t net, uint32_t side);
  void make_room(uint32_t c);
  bool join_branches(int64_t budget);
  bool move_driver(uint16_t net, uint32_t from, int64_t budget);
  bool connect_sinks(std::span<const Sink> sinks, int64_t budget);
  bool connect(uint32_t goal, uint16_t net, int64_t limit);
  void widen(uint16_t net, uint32_t c);
  int far_from_net(uint32_t c, uint16_t net) const;
  int64_t spent() const { return energy_ - before_; }

  const LutNetwork* network_;
  Region region_;
  int stride_;
  std::array<int, 4> offset_;
  LiveCosts costs_;
  std::vector<Kind> kind_;
  std::vector<uint8_t> good_;
  std::vector<uint8_t> mask_;                 // sides through which something can enter
  std::vector<uint16_t> slot_;                // nets by cell, side and user: 16 per cell
  std::vector<uint8_t> users_;                // by cell and side
  std::vector<uint8_t> busy_;                 // used edges that enter, by cell
  std::vector<Logic> logic_;                  // by cell
  std::vector<uint16_t> in_port_, out_port_;  // by cell
  std::vector<uint32_t> at_;                  // of items
  std::vector<Box> box_;                      // of nets: their trees lie within
  std::vector<uint32_t> overused_, overused_at_;
  std::vector<int> overuse_cost_;  // by edge
  int64_t energy_ = 0;
  int overuse_ = 0;
  size_t wirelength_ = 0;
  uint64_t work_ = 0;

  // Of the current change.
  int64_t before_ = 0;
  std::vector<Change> log_;
  std::vector<Saved> saved_;      // the cells before it
  std::vector<Step> undo_steps_;  // the places of items before it
  std::vector<Sink> lost_, gained_;
  std::vector<uint32_t> orphans_;  // roots of parts of a tree that lost their driver
  std::vector<std::vector<uint32_t>> orphan_cells_;
  std::vector<uint8_t> is_orphan_;  // by cell
  std::vector<uint32_t> tree_;
  std::vector<Sink> branches_;

  // Of the current search.
  std::vector<uint32_t> distance_, seen_;
  std::vector<uint8_t> toward_;  // side of the next cell through which the path enters it from here
  std::vector<uint64_t> queue_;  // a heap
  uint32_t search_ = 0;
};

}  // namespace bitgrid::mapping
