#include "lowering/synthesis/logic_graph.h"

#include <algorithm>
#include <utility>

#include "ir/index.h"

namespace bitgrid::synthesis {
namespace {

using Kind = LogicNode::Kind;

Literal gate(LogicGraph& graph, Kind kind, Literal a, Literal b) {
  if (a > b) std::swap(a, b);
  const uint64_t key = (uint64_t{a} << 33) | (uint64_t{b} << 1) | (kind == Kind::kXor);
  const auto [it, fresh] = graph.hash.try_emplace(key, id_of(graph.nodes.size()));
  if (fresh) graph.nodes.push_back({kind, a, b});
  return 2 * it->second;
}

// !(x & y) & !(!x & !y) = x xor y.
bool is_xor_of(const LogicGraph& graph, Literal a, Literal b) {
  if (!(a & 1u) || !(b & 1u)) return false;
  const LogicNode& p = graph.nodes[a / 2];
  const LogicNode& q = graph.nodes[b / 2];
  if (p.kind != Kind::kAnd || q.kind != Kind::kAnd) return false;
  return (p.a == (q.a ^ 1u) && p.b == (q.b ^ 1u)) || (p.a == (q.b ^ 1u) && p.b == (q.a ^ 1u));
}

}  // namespace

Literal add_input(LogicGraph& graph, const std::string& name) {
  graph.inputs.push_back(name);
  graph.nodes.push_back({Kind::kInput, 0, 0});
  return static_cast<Literal>(2 * (graph.nodes.size() - 1));
}

Literal make_and(LogicGraph& graph, Literal a, Literal b) {
  if (a > b) std::swap(a, b);
  if (a == kFalse || a == (b ^ 1u)) return kFalse;
  if (a == kTrue || a == b) return b;
  if (is_xor_of(graph, a, b)) {
    const LogicNode p = graph.nodes[a / 2];
    return make_xor(graph, p.a, p.b);
  }
  return gate(graph, Kind::kAnd, a, b);
}

Literal make_xor(LogicGraph& graph, Literal a, Literal b) {
  const Literal complement = (a ^ b) & 1u;
  a &= ~1u;
  b &= ~1u;
  if (a == b) return kFalse ^ complement;
  if (a == 0) return b ^ complement;
  if (b == 0) return a ^ complement;
  return gate(graph, Kind::kXor, a, b) ^ complement;
}

Literal make_select(LogicGraph& graph, Literal condition, Literal if_one, Literal if_zero) {
  if (if_one == if_zero) return if_one;
  if (if_one == (if_zero ^ 1u)) return make_xor(graph, condition, if_zero);
  return make_or(graph, make_and(graph, condition, if_one), make_and(graph, condition ^ 1u, if_zero));
}

Literal make_majority(LogicGraph& graph, Literal a, Literal b, Literal c) {
  return make_or(graph, make_and(graph, a, b), make_and(graph, c, make_xor(graph, a, b)));
}

size_t gate_count(const LogicGraph& graph) {
  std::vector<uint8_t> used(graph.nodes.size());
  for (const auto& o : graph.outputs) used[o.literal / 2] = 1;
  size_t count = 0;
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const LogicNode& node = graph.nodes[n];
    if (!used[n] || (node.kind != Kind::kAnd && node.kind != Kind::kXor)) continue;
    used[node.a / 2] = used[node.b / 2] = 1;
    ++count;
  }
  return count;
}

}  // namespace bitgrid::synthesis
