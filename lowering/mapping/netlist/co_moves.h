// Moves of blocks while routes are live. Only the nets that a move affects are routed again.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/defects.h"
#include "lowering/mapping/netlist/random.h"
#include "lowering/mapping/netlist/router.h"

namespace bitgrid::mapping {

class LiveMoves {
 public:
  /// All references must outlive this object, and nothing else may move blocks in the meantime.
  LiveMoves(const PackedNetlist& netlist, NetlistLayout& layout, Router& router, const DefectMap& defects, Random& random);

  /// Moves a block (swapping it with the block at its new place, if any), and routes their nets again, then the nets that these collide
  /// with. Keeps the result by the rule of annealing. The energy is the overused edges plus `wire_price` for every used edge.
  bool try_move(BlockId block, uint32_t to, double heat, double wire_price);

  /// Returns a random place for the block, at most `reach` away in x and y (along the border, for ports), or kNowhere if it finds none.
  uint32_t place_near(BlockId block, int reach);
  /// Returns a block whose move could relieve the edge: a block of its nets, or one close to it.
  BlockId block_near(uint32_t edge);

 private:
  std::vector<BlockId>& places_of(BlockId b) { return netlist_.is_cell(b) ? cells_ : netlist_.is_input(b) ? ins_ : outs_; }
  void exchange(BlockId a, uint32_t to);
  void loosen(uint32_t net, BlockId a, BlockId b);
  void push_aside();

  const PackedNetlist& netlist_;
  NetlistLayout& layout_;
  Router& router_;
  const DefectMap& defects_;
  Random& random_;
  std::vector<std::vector<uint32_t>> nets_of_;
  std::vector<BlockId> cells_, ins_, outs_;  // block at a place, or kNowhere
  std::vector<uint32_t> nets_;
  std::vector<NetRoute> old_;
};

struct RepairParams {
  int moves_per_edge = 60;   // tries per overused edge
  double heat = 0.4;         // starting temperature, in overused edges
  double present_price = 3;  // of an edge that others use, per user
  double wire_price = 0.03;  // of a used edge, in overused edges
};

/// Moves blocks near overused edges until there are none or the tries run out. Returns the remaining overuse.
int repair(const PackedNetlist& netlist, NetlistLayout& layout, Router& router, const DefectMap& defects, const RepairParams& params,
           Random& random);

}  // namespace bitgrid::mapping
