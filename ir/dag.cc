#include "ir/dag.h"

#include <algorithm>
#include <bit>

#include "ir/dag_eval.h"
#include "ir/error.h"
#include "ir/names.h"

namespace bitgrid {
namespace {

NodeId add(Dag& dag, Node&& node) {
  const NodeId id = static_cast<NodeId>(dag.size());
  for (const NodeId operand : node.operands) {
    if (operand >= id)
      throw Error("dag " + dag.name + ", node " + (node.name.empty() ? std::to_string(id) : node.name),
                  "operand " + std::to_string(operand) + " does not exist yet", "add operands before their users");
  }
  dag.nodes.push_back(std::move(node));
  return id;
}

uint32_t total_width(const Dag& dag, const std::vector<NodeId>& nodes) {
  uint32_t bits = 0;
  for (const NodeId id : nodes) bits += dag.node(id).width;
  return bits;
}

uint32_t offset_of(const Dag& dag, const std::vector<NodeId>& nodes, std::string_view name, const std::string& kind) {
  uint32_t offset = 0;
  for (const NodeId id : nodes) {
    if (dag.node(id).name == name) return offset;
    offset += dag.node(id).width;
  }
  std::string names;
  for (const NodeId id : nodes) names += (names.empty() ? "" : ", ") + dag.node(id).name;
  throw Error("dag " + dag.name, "there is no " + kind + " \"" + std::string(name) + "\"",
              nodes.empty() ? "it has no " + kind + "s" : "its " + kind + "s are " + names);
}

uint32_t log2_ceil(uint32_t x) {
  return x <= 1 ? 0 : static_cast<uint32_t>(std::bit_width(x - 1));
}

}  // namespace

const std::vector<OpInfo>& op_table() {
  using A = Attribute;
  using W = WidthRule;
  using L = Levels;
  static const std::vector<OpInfo> table = {
      {Op::kInput, "input", 0, 0, A::kResident, W::kAny, L::kWires, "", nullptr},
      {Op::kConstant, "constant", 0, 0, A::kValue, W::kValue, L::kWires, "", evaluate_constant},
      {Op::kXnor, "xnor", 2, 2, A::kNone, W::kAny, L::kGate, "~({0} ^ {1})", evaluate_xnor},
      {Op::kXor, "xor", 2, 2, A::kNone, W::kAny, L::kGate, "{0} ^ {1}", evaluate_xor},
      {Op::kAnd, "and", 2, 2, A::kNone, W::kAny, L::kGate, "{0} & {1}", evaluate_and},
      {Op::kOr, "or", 2, 2, A::kNone, W::kAny, L::kGate, "{0} | {1}", evaluate_or},
      {Op::kNot, "not", 1, 1, A::kNone, W::kAny, L::kGate, "~{0}", evaluate_not},
      {Op::kSelect, "select", 3, 3, A::kNone, W::kCondition, L::kGate, "{0} ? {1} : {2}", evaluate_select},
      {Op::kSlice, "slice", 1, 1, A::kLow, W::kSlice, L::kWires, "", evaluate_slice},
      {Op::kConcat, "concat", 1, -1, A::kNone, W::kSum, L::kWires, "", evaluate_concat},
      {Op::kPopcount, "popcount", 1, 1, A::kNone, W::kAny, L::kTree, "", evaluate_popcount},
      {Op::kAdd, "add", 2, 2, A::kNone, W::kAny, L::kCarry, "{0} + {1}", evaluate_add},
      {Op::kSubtract, "subtract", 2, 2, A::kNone, W::kAny, L::kCarry, "{0} - {1}", evaluate_subtract},
      {Op::kLess, "less", 2, 2, A::kNone, W::kOne, L::kCarry, "{0} < {1}", evaluate_less},
      {Op::kLut, "lut", 1, 1, A::kTable, W::kTable, L::kTable, "", evaluate_lut},
      {Op::kOutput, "output", 1, 1, A::kNone, W::kOperand, L::kWires, "", evaluate_output},
  };
  return table;
}

std::vector<std::string> node_names(const Dag& dag) {
  std::vector<std::string_view> taken;
  for (const Node& node : dag.nodes) taken.push_back(node.name);
  const std::string prefix = free_prefix("n", taken);
  std::vector<std::string> names;
  names.reserve(dag.size());
  for (NodeId id = 0; id < dag.size(); ++id) names.push_back(dag.node(id).name.empty() ? prefix + std::to_string(id) : dag.node(id).name);
  return names;
}

uint32_t input_bits(const Dag& dag) {
  return total_width(dag, dag.inputs);
}
uint32_t output_bits(const Dag& dag) {
  return total_width(dag, dag.outputs);
}
uint32_t input_offset(const Dag& dag, std::string_view name) {
  return offset_of(dag, dag.inputs, name, "input");
}
uint32_t output_offset(const Dag& dag, std::string_view name) {
  return offset_of(dag, dag.outputs, name, "output");
}

NodeId add_input(Dag& dag, const std::string& name, uint32_t width, bool resident) {
  Node node;
  node.op = Op::kInput;
  node.width = width;
  node.name = name;
  node.resident = resident;
  const NodeId id = add(dag, std::move(node));
  dag.inputs.push_back(id);
  return id;
}

NodeId add_constant(Dag& dag, const BitVector& value, const std::string& name) {
  Node node;
  node.op = Op::kConstant;
  node.width = value.width;
  node.name = name;
  node.value = value;
  return add(dag, std::move(node));
}

NodeId add_constant(Dag& dag, uint32_t width, uint64_t value, const std::string& name) {
  return add_constant(dag, BitVector(width, value), name);
}

NodeId add_node(Dag& dag, Op op, uint32_t width, const std::vector<NodeId>& operands, const std::string& name) {
  Node node;
  node.op = op;
  node.width = width;
  node.name = name;
  node.operands = operands;
  const NodeId id = add(dag, std::move(node));
  if (op == Op::kInput) dag.inputs.push_back(id);
  if (op == Op::kOutput) dag.outputs.push_back(id);
  return id;
}

NodeId add_slice(Dag& dag, NodeId a, uint32_t low, uint32_t width, const std::string& name) {
  Node node;
  node.op = Op::kSlice;
  node.width = width;
  node.name = name;
  node.operands = {a};
  node.low = low;
  return add(dag, std::move(node));
}

NodeId add_lut(Dag& dag, NodeId a, const std::vector<BitVector>& table, const std::string& name) {
  Node node;
  node.op = Op::kLut;
  node.width = table.empty() ? 0 : table[0].width;
  node.name = name;
  node.operands = {a};
  node.table = table;
  return add(dag, std::move(node));
}

NodeId add_output(Dag& dag, const std::string& name, NodeId a) {
  return add_node(dag, Op::kOutput, a < dag.size() ? dag.node(a).width : 0, {a}, name);
}

uint32_t logic_levels(const Dag& dag, NodeId id) {
  const Node& node = dag.node(id);
  switch (info(node.op).levels) {
    case Levels::kWires:
      return 0;
    case Levels::kGate:
      return 1;
    case Levels::kCarry: {
      uint32_t width = node.width;
      for (const NodeId operand : node.operands) width = std::max(width, dag.node(operand).width);
      return 1 + log2_ceil(width);
    }
    case Levels::kTree:
      return 1 + log2_ceil(dag.node(node.operands[0]).width);
    case Levels::kTable: {
      const uint32_t inputs = dag.node(node.operands[0]).width;
      return inputs <= 4 ? 1 : inputs - 3;
    }
  }
  return 0;
}

}  // namespace bitgrid
