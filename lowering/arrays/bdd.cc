#include "lowering/arrays/bdd.h"

#include <algorithm>

namespace bitgrid {

Bdd::Bdd(size_t limit) : limit_(limit), nodes_{{-1, 0, 0}, {-1, 1, 1}} {}

BddId Bdd::cofactor(BddId f, int level, bool value) const {
  if (nodes_[f].level != level) return f;
  return value ? nodes_[f].high : nodes_[f].low;
}

BddId Bdd::make(int level, BddId low, BddId high) {
  if (low == high) return low;
  const Key key{(uint64_t{low} << 32) | high, static_cast<uint64_t>(level)};
  const auto [it, fresh] = unique_.try_emplace(key, static_cast<BddId>(nodes_.size()));
  if (fresh) nodes_.push_back({level, low, high});
  return it->second;
}

BddId Bdd::apply(BddId a, BddId b, bool is_xor) {
  if (a > b) std::swap(a, b);
  if (a == b) return is_xor ? kBddFalse : a;
  if (a == kBddFalse) return is_xor ? b : kBddFalse;
  if (a == kBddTrue && !is_xor) return b;
  if (overflowed()) return kBddFalse;
  const Key key{(uint64_t{a} << 32) | b, is_xor};
  if (const auto known = cache_.find(key); known != cache_.end()) return known->second;
  ++steps_;
  const int level = std::max(top(a), top(b));
  const BddId low = apply(cofactor(a, level, false), cofactor(b, level, false), is_xor);
  const BddId high = apply(cofactor(a, level, true), cofactor(b, level, true), is_xor);
  const BddId result = make(level, low, high);
  cache_.emplace(key, result);
  return result;
}

std::optional<std::vector<BddId>> output_functions(Bdd& bdd, const LogicGraph& graph, const std::vector<int>& level) {
  std::vector<uint8_t> used(graph.nodes.size());
  for (const auto& o : graph.outputs) used[o.literal / 2] = 1;
  for (size_t n = graph.nodes.size(); n-- > 1;) {
    if (!used[n]) continue;
    used[graph.nodes[n].a / 2] = used[graph.nodes[n].b / 2] = 1;
  }
  std::vector<BddId> function(graph.nodes.size(), kBddFalse);
  const auto of = [&](Literal l) { return l & 1u ? bdd.complement(function[l / 2]) : function[l / 2]; };
  size_t input = 0;
  for (size_t n = 1; n < graph.nodes.size() && !bdd.overflowed(); ++n) {
    const LogicNode& node = graph.nodes[n];
    if (node.kind == LogicNode::Kind::kInput) {
      function[n] = bdd.variable(level[input++]);
    } else if (used[n]) {
      function[n] = node.kind == LogicNode::Kind::kAnd ? bdd.conjunction(of(node.a), of(node.b)) : bdd.exclusive_or(of(node.a), of(node.b));
    }
  }
  std::vector<BddId> outputs;
  for (const auto& o : graph.outputs) outputs.push_back(of(o.literal));
  if (bdd.overflowed()) return std::nullopt;
  return outputs;
}

}  // namespace bitgrid
