#include <algorithm>
#include <string>
#include <unordered_set>

#include "ir/dag.h"
#include "ir/error.h"
#include "ir/names.h"

namespace bitgrid {
namespace {

std::string bits(uint64_t n) {
  return std::to_string(n) + (n == 1 ? " bit" : " bits");
}

/// Checks of one node; `fail` knows where we are.
struct NodeCheck {
  const Dag& dag;
  NodeId id;
  const Node& node;

  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const {
    throw Error("dag " + dag.name + ", node " + name_of(id), problem, cure);
  }

  std::string name_of(NodeId n) const { return node_names(dag)[n]; }

  uint32_t operand_width(size_t i) const { return dag.node(node.operands[i]).width; }

  void check_name() const {
    const bool port = node.op == Op::kInput || node.op == Op::kOutput;
    if (port && node.name.empty()) fail("it has no name", "name every input and output");
    if (!node.name.empty() && !is_name(node.name)) fail("\"" + node.name + "\" is not a name", kNameCure);
  }

  void check_operands() const {
    const OpInfo& op = info(node.op);
    const std::string name(op.name);
    const int count = static_cast<int>(node.operands.size());
    if (count < op.min_operands || (op.max_operands >= 0 && count > op.max_operands)) {
      const std::string wanted = std::to_string(op.min_operands) + (op.max_operands < 0 ? " or more" : "");
      fail(name + " has " + std::to_string(count) + " operands", "give it " + wanted);
    }
    for (const NodeId operand : node.operands) {
      if (operand >= id)
        fail("operand " + std::to_string(operand) + " does not come before its user " + std::to_string(id),
             "add operands before their users");
      if (dag.node(operand).op == Op::kOutput)
        fail("operand " + name_of(operand) + " is an output", "use what the output shows: " + name_of(dag.node(operand).operands[0]));
    }
  }

  void check_width() const {
    if (node.width == 0 || node.width > kMaxNodeWidth)
      fail("its width is " + std::to_string(node.width), "widths go from 1 to " + std::to_string(kMaxNodeWidth));
    switch (info(node.op).width) {
      case WidthRule::kAny:
        break;
      case WidthRule::kValue:
        check_value(node.value, "value");
        break;
      case WidthRule::kCondition:
        if (operand_width(0) != 1) fail("its condition is " + bits(operand_width(0)) + " wide", "make it 1 bit wide");
        break;
      case WidthRule::kSlice:
        if (uint64_t{node.low} + node.width > operand_width(0))
          fail("bits " + std::to_string(node.low) + " to " + std::to_string(uint64_t{node.low} + node.width - 1) + " are not all in " +
                   name_of(node.operands[0]) + " of " + bits(operand_width(0)),
               "lower the first bit or the width");
        break;
      case WidthRule::kSum: {
        uint64_t sum = 0;
        for (size_t i = 0; i < node.operands.size(); ++i) sum += operand_width(i);
        expect_width(sum, "its operands together have");
        break;
      }
      case WidthRule::kOne:
        expect_width(1, "its result has");
        break;
      case WidthRule::kTable:
        check_table();
        break;
      case WidthRule::kOperand:
        expect_width(operand_width(0), "its operand has");
        break;
    }
  }

  void expect_width(uint64_t wanted, const std::string& reason) const {
    if (node.width != wanted)
      fail("it is " + bits(node.width) + " wide, but " + reason + " " + bits(wanted), "make it " + bits(wanted) + " wide");
  }

  void check_value(const BitVector& value, const std::string& what) const {
    if (value.width != node.width || value.words.size() != (size_t{value.width} + 63) / 64)
      fail("its " + what + " is " + bits(value.width) + " wide, the node " + bits(node.width), "give both one width");
    if (value.width % 64 != 0 && value.words.back() >> (value.width % 64) != 0)
      fail("its " + what + " has a bit above its width set", "clear it");
  }

  void check_table() const {
    const uint32_t inputs = operand_width(0);
    if (inputs > kMaxLutInputs)
      fail("its operand has " + bits(inputs), "a table takes at most " + std::to_string(kMaxLutInputs) + "; split it");
    if (node.table.size() != size_t{1} << inputs)
      fail("its table has " + std::to_string(node.table.size()) + " words",
           "an operand of " + bits(inputs) + " wants " + std::to_string(size_t{1} << inputs));
    if (node.table.size() * node.width > kMaxTableBits)
      fail("its table has " + bits(node.table.size() * node.width), "a table holds at most " + bits(kMaxTableBits) + "; split it");
    for (size_t i = 0; i < node.table.size(); ++i) check_value(node.table[i], "table word " + std::to_string(i));
  }
};

void check_list(const Dag& dag, const std::vector<NodeId>& list, Op op) {
  std::vector<NodeId> found;
  for (NodeId id = 0; id < dag.size(); ++id) {
    if (dag.node(id).op == op) found.push_back(id);
  }
  if (found != list)
    throw Error("dag " + dag.name,
                "its list of " + std::string(info(op).name) + "s is not the " + std::string(info(op).name) + " nodes in order",
                "add nodes with the functions of ir/dag.h");
}

}  // namespace

void verify(const Dag& dag) {
  if (!is_name(dag.name)) throw Error("dag " + dag.name, "\"" + dag.name + "\" is not a name", kNameCure);
  std::unordered_set<std::string_view> names;
  uint64_t in = 0;
  uint64_t out = 0;
  for (NodeId id = 0; id < dag.size(); ++id) {
    const NodeCheck check{dag, id, dag.node(id)};
    check.check_name();
    if (!dag.node(id).name.empty() && !names.insert(dag.node(id).name).second) check.fail("there are two nodes of this name", "rename one");
    check.check_operands();
    check.check_width();
    if (dag.node(id).op == Op::kInput) in += dag.node(id).width;
    if (dag.node(id).op == Op::kOutput) out += dag.node(id).width;
  }
  check_list(dag, dag.inputs, Op::kInput);
  check_list(dag, dag.outputs, Op::kOutput);
  if (dag.outputs.empty()) throw Error("dag " + dag.name, "it has no output", "add at least one");
  if (std::max(in, out) > (1u << 24)) throw Error("dag " + dag.name, "it has more than 2^24 input or output bits", "split the kernel");
}

}  // namespace bitgrid
