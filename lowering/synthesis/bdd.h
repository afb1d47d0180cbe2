// Binary decision diagrams, with only what it takes to decide whether functions of a LogicGraph are equal.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::synthesis {

/// The number of a function. Equal functions have equal numbers.
using BddId = uint32_t;
inline constexpr BddId kBddFalse = 0, kBddTrue = 1;

/// Reduced ordered diagrams over levels 0 (nearest to the leaves) .. levels - 1 (Bryant 1986). Once there are `limit` nodes, results are
/// meaningless and overflowed() returns true.
class Bdd {
 public:
  explicit Bdd(size_t limit);

  BddId variable(int level) { return make(level, kBddFalse, kBddTrue); }
  BddId conjunction(BddId a, BddId b) { return apply(a, b, false); }
  BddId exclusive_or(BddId a, BddId b) { return apply(a, b, true); }
  BddId complement(BddId a) { return exclusive_or(a, kBddTrue); }
  /// Returns f with the variable of `level` set to `value`. `level` must be f's top level or above it.
  BddId cofactor(BddId f, int level, bool value) const;
  /// Returns -1 for constants.
  int top(BddId f) const { return nodes_[f].level; }
  bool overflowed() const { return nodes_.size() >= limit_ || steps_ >= 8 * limit_; }

 private:
  struct BddNode {
    int level;
    BddId low, high;
    bool operator==(const BddNode&) const = default;
  };
  struct Known {  // an operation and its result
    uint64_t operands = 0;
    BddId result = 0;
    uint8_t operation = 0;  // 0: none
  };
  BddId make(int level, BddId low, BddId high);
  BddId apply(BddId a, BddId b, bool is_xor);
  size_t slot_of(const BddNode& node) const;
  void grow();

  size_t limit_;
  size_t steps_ = 0;
  std::vector<BddNode> nodes_;
  std::vector<BddId> unique_;  // nodes by their contents, with open addressing; kBddFalse: none
  std::vector<Known> cache_;   // the latest one for each hash
};

/// Returns the functions of the outputs. Input i of the graph is at level[i]. nullopt: too large for the Bdd's limit.
std::optional<std::vector<BddId>> output_functions(Bdd& bdd, const LogicGraph& graph, const std::vector<int>& level);

}  // namespace bitgrid::synthesis
