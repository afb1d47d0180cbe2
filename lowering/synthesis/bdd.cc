#include "lowering/synthesis/bdd.h"

#include <algorithm>
#include <bit>

#include "ir/index.h"

namespace bitgrid::synthesis {

namespace {

constexpr size_t kFirstSlots = 1024;

size_t hash(uint64_t a, uint64_t b) {
  uint64_t h = (a ^ (b << 57) ^ (b << 21)) * 0x9E3779B97F4A7C15u;
  h ^= h >> 32;
  return index_of(h * 0xC2B2AE3D27D4EB4Fu >> 20);
}

uint64_t pair(BddId a, BddId b) {
  return (uint64_t{a} << 32) | b;
}

}  // namespace

Bdd::Bdd(size_t limit)
    : limit_(limit), nodes_{{-1, 0, 0}, {-1, 1, 1}}, unique_(kFirstSlots), cache_(std::bit_ceil(std::max(kFirstSlots, limit))) {}

BddId Bdd::cofactor(BddId f, int level, bool value) const {
  if (nodes_[f].level != level) return f;
  return value ? nodes_[f].high : nodes_[f].low;
}

// Where the node is, or would go.
size_t Bdd::slot_of(const BddNode& node) const {
  size_t slot = hash(pair(node.low, node.high), static_cast<uint64_t>(node.level)) & (unique_.size() - 1);
  while (unique_[slot] != kBddFalse && nodes_[unique_[slot]] != node) slot = (slot + 1) & (unique_.size() - 1);
  return slot;
}

void Bdd::grow() {
  unique_.assign(2 * unique_.size(), kBddFalse);
  for (BddId n = 2; n < nodes_.size(); ++n) unique_[slot_of(nodes_[n])] = n;
}

BddId Bdd::make(int level, BddId low, BddId high) {
  if (low == high) return low;
  const BddNode node{level, low, high};
  const size_t slot = slot_of(node);
  if (unique_[slot] != kBddFalse) return unique_[slot];
  const auto made = static_cast<BddId>(nodes_.size());
  unique_[slot] = made;
  nodes_.push_back(node);
  if (2 * nodes_.size() > unique_.size()) grow();
  return made;
}

BddId Bdd::apply(BddId a, BddId b, bool is_xor) {
  if (a > b) std::swap(a, b);
  if (a == b) return is_xor ? kBddFalse : a;
  if (a == kBddFalse) return is_xor ? b : kBddFalse;
  if (a == kBddTrue && !is_xor) return b;
  if (overflowed()) return kBddFalse;
  const uint8_t operation = is_xor ? 1 : 2;
  const size_t slot = hash(pair(a, b), operation) & (cache_.size() - 1);
  if (const Known& known = cache_[slot]; known.operands == pair(a, b) && known.operation == operation) return known.result;
  ++steps_;
  const int level = std::max(top(a), top(b));
  const BddId low = apply(cofactor(a, level, false), cofactor(b, level, false), is_xor);
  const BddId high = apply(cofactor(a, level, true), cofactor(b, level, true), is_xor);
  const BddId result = make(level, low, high);
  cache_[slot] = {pair(a, b), result, operation};
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

}  // namespace bitgrid::synthesis
