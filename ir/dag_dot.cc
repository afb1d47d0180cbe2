#include <string>

#include <fmt/format.h>

#include "ir/dag.h"

namespace bitgrid {
namespace {

std::string label(const Node& node, const std::string& name) {
  const OpInfo& op = info(node.op);
  std::string text = name + "\\n";
  if (op.attribute == Attribute::kValue) {
    text += "0x" + to_hex(node.value);
  } else {
    text += std::string(op.name);
    if (op.attribute == Attribute::kLow) text += " from " + std::to_string(node.low);
    if (node.resident) text += " (resident)";
  }
  return text + " : " + std::to_string(node.width);
}

std::string shape(Op op) {
  if (op == Op::kInput || op == Op::kOutput) return "box";
  return op == Op::kConstant ? "plaintext" : "ellipse";
}

}  // namespace

std::string to_dot(const Dag& dag) {
  std::string out = fmt::format("digraph \"{}\" {{\n  rankdir=LR;\n", dag.name);
  const std::vector<std::string> names = node_names(dag);
  for (NodeId id = 0; id < dag.size(); ++id) {
    const Node& node = dag.node(id);
    out += fmt::format("  v{} [shape={}, label=\"{}\"];\n", id, shape(node.op), label(node, names[id]));
    for (size_t i = 0; i < node.operands.size(); ++i) {
      const std::string port = node.operands.size() > 1 ? fmt::format(" [headlabel=\"{}\"]", i) : "";
      out += fmt::format("  v{} -> v{}{};\n", node.operands[i], id, port);
    }
  }
  return out + "}\n";
}

}  // namespace bitgrid
