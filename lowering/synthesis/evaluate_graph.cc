#include "lowering/synthesis/evaluate_graph.h"

#include <algorithm>

namespace bitgrid::synthesis {

std::vector<uint64_t> evaluate_lanes(const LogicGraph& graph, const std::vector<uint64_t>& inputs) {
  std::vector<uint64_t> value(graph.nodes.size());
  const auto of = [&](Literal l) { return value[l / 2] ^ (l & 1u ? ~uint64_t{0} : 0); };
  size_t input = 0;
  for (size_t n = 1; n < graph.nodes.size(); ++n) {
    const LogicNode& node = graph.nodes[n];
    if (node.kind == LogicNode::Kind::kInput)
      value[n] = inputs[input++];
    else
      value[n] = node.kind == LogicNode::Kind::kAnd ? of(node.a) & of(node.b) : of(node.a) ^ of(node.b);
  }
  std::vector<uint64_t> outputs;
  for (const auto& o : graph.outputs) outputs.push_back(of(o.literal));
  return outputs;
}

bool equals_on_all_values(const LogicGraph& graph, const std::function<uint64_t(uint64_t)>& f) {
  const size_t bits = graph.inputs.size();
  const uint64_t values = uint64_t{1} << bits;
  const uint64_t mask = graph.outputs.size() >= 64 ? ~uint64_t{0} : (uint64_t{1} << graph.outputs.size()) - 1;
  std::vector<uint64_t> inputs(bits);
  // Scrambled, so that a difference is found soon: an odd factor permutes the values.
  for (uint64_t first = 0; first < values; first += 64) {
    uint64_t lanes[64];
    std::fill(inputs.begin(), inputs.end(), 0);
    const uint64_t count = std::min<uint64_t>(64, values);
    for (uint64_t lane = 0; lane < count; ++lane) {
      lanes[lane] = ((first + lane) * 0x9E3779B1u) & (values - 1);
      for (size_t i = 0; i < bits; ++i) inputs[i] |= ((lanes[lane] >> i) & 1u) << lane;
    }
    const std::vector<uint64_t> outputs = evaluate_lanes(graph, inputs);
    for (uint64_t lane = 0; lane < count; ++lane) {
      uint64_t got = 0;
      for (size_t o = 0; o < outputs.size(); ++o) got |= ((outputs[o] >> lane) & 1u) << o;
      if (got != (f(lanes[lane]) & mask)) return false;
    }
  }
  return true;
}

}  // namespace bitgrid::synthesis
