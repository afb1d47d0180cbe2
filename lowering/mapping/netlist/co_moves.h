// Moves of blocks while routes live: only the nets that a move concerns are routed again.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/defects.h"
#include "lowering/mapping/netlist/random.h"
#include "lowering/mapping/netlist/router.h"

namespace bitgrid::mapping {

class LiveMoves {
 public:
  /// All references must outlive it; nothing else may move blocks meanwhile.
  LiveMoves(const PackedNetlist& netlist, NetlistLayout& layout, Router& router, const DefectMap& defects, Random& random);

  /// Moves a block (what is at its new place changes places with it), routes their nets again, then the nets that these came upon, and
  /// keeps that by the rule of annealing. Energy: overused edges, and `wire_price` for every edge used.
  bool try_move(BlockId block, uint32_t to, double heat, double wire_price);

  /// A random place for the block, at most `reach` away in x and y (along the border, for ports); kNowhere if it came upon none.
  uint32_t place_near(BlockId block, int reach);
  /// A block whose moving could relieve the edge: of its nets, or close to it.
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
  int moves_per_edge = 60;   // tries for each overused edge
  double heat = 0.4;         // temperature at the start, in overused edges
  double present_price = 3;  // of an edge that others use, per user
  double wire_price = 0.03;  // of an edge used, in overused edges
};

/// Moves blocks near overused edges until none is left or the tries are spent. Returns the overuse left.
int repair(const PackedNetlist& netlist, NetlistLayout& layout, Router& router, const DefectMap& defects, const RepairParams& params,
           Random& random);

}  // namespace bitgrid::mapping
