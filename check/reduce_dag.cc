#include <algorithm>
#include <bit>
#include <map>
#include <string>

#include "check/reduce_search.h"
#include "ir/error.h"

namespace bitgrid::check {
namespace {

/// What happens to one node.
struct DagStep {
  enum class Kind : uint8_t {
    kDrop,      // an output, or an input that nothing uses
    kZero,      // a constant 0 takes its place
    kOnes,      // a constant of ones
    kInput,     // an input of the same name and width
    kOperand,   // its operand `number`
    kWidth,     // it gets `number` bits; those that hang on its width follow
    kLow,       // a slice begins at bit `number`
    kSame,      // operand `number` becomes operand 0
    kLess,      // a concatenation loses operand `number`
    kClear,     // bit `bit` of word `number` of a table, or of a constant (word 0), becomes 0
    kClearAll,  // word `number` becomes 0
    kPort       // a resident input becomes an ordinary one
  };
  Kind kind = Kind::kDrop;
  NodeId node = 0;
  uint32_t number = 0;
  uint32_t bit = 0;
};
using Kind = DagStep::Kind;
using Steps = std::span<const DagStep>;

BitVector resized(const BitVector& value, uint32_t width) {
  BitVector out(width);
  for (uint32_t i = 0; i < std::min(width, value.width); ++i) out.set(i, value.get(i));
  return out;
}

BitVector ones(uint32_t width) {
  BitVector out(width);
  for (uint32_t i = 0; i < width; ++i) out.set(i, true);
  return out;
}

uint64_t ones_in(const BitVector& value) {
  uint64_t count = 0;
  for (const uint64_t word : value.words) count += static_cast<uint64_t>(std::popcount(word));
  return count;
}

/// Nodes that an output depends on, and inputs.
std::vector<bool> used_nodes(const Dag& dag) {
  std::vector<bool> used(dag.size());
  for (const NodeId id : dag.outputs) used[id] = true;
  for (NodeId id = static_cast<NodeId>(dag.size()); id-- > 0;) {
    if (!used[id]) continue;
    for (const NodeId operand : dag.node(id).operands) used[operand] = true;
  }
  return used;
}

/// Copies a Dag node by node, with steps taken on the way; what hangs on the width of a node that changes is made to fit.
class Rebuild {
 public:
  Rebuild(const Dag& from, Steps steps) : from_(from), map_(from.size()), used_(used_nodes(from)) {
    to_.name = from.name;
    for (const DagStep& step : steps) steps_[step.node].push_back(step);
  }

  std::optional<Dag> run() {
    for (NodeId id = 0; id < from_.size(); ++id) {
      const Node& node = from_.node(id);
      if (node.op != Op::kInput && !used_[id]) continue;
      copy(id, node);
    }
    if (to_.outputs.empty()) return std::nullopt;
    Dag lean = without_unused(to_);
    try {
      verify(lean);
    } catch (const Error&) {
      return std::nullopt;
    }
    return lean;
  }

  /// The same without nodes that no output depends on.
  static Dag without_unused(const Dag& dag) {
    const std::vector<bool> used = used_nodes(dag);
    Dag out;
    out.name = dag.name;
    std::vector<NodeId> map(dag.size());
    for (NodeId id = 0; id < dag.size(); ++id) {
      if (!used[id] && dag.node(id).op != Op::kInput) continue;
      Node node = dag.node(id);
      for (NodeId& operand : node.operands) operand = map[operand];
      map[id] = append(out, std::move(node));
    }
    return out;
  }

 private:
  /// As the functions of ir/dag.h add nodes, of any operation.
  static NodeId append(Dag& dag, Node node) {
    const NodeId id = add_node(dag, node.op, node.width, node.operands, node.name);
    dag.nodes[id] = std::move(node);
    return id;
  }

  uint32_t width(NodeId id) const { return to_.node(id).width; }

  void copy(NodeId id, const Node& original) {
    Node node = original;
    for (NodeId& operand : node.operands) operand = map_[operand];
    if (const auto steps = steps_.find(id); steps != steps_.end()) {
      // Backwards, so that the numbers of operands that are still to go stay right.
      for (auto step = steps->second.rbegin(); step != steps->second.rend(); ++step) {
        if (!take(id, node, *step)) return;
      }
    }
    fit(node);
    map_[id] = append(to_, std::move(node));
  }

  /// Changes the node; false if there is none in its place, or another one.
  bool take(NodeId id, Node& node, const DagStep& step) {
    switch (step.kind) {
      case Kind::kDrop:
        return false;
      case Kind::kZero:
      case Kind::kOnes:
        map_[id] = add_constant(to_, step.kind == Kind::kZero ? BitVector(node.width) : ones(node.width), node.name);
        return false;
      case Kind::kInput:
        map_[id] = add_input(to_, node.name, node.width);
        return false;
      case Kind::kOperand:
        map_[id] = node.operands[step.number];
        return false;
      case Kind::kWidth:
        set_width(node, step.number);
        return true;
      case Kind::kLow:
        node.low = step.number;
        return true;
      case Kind::kSame:
        node.operands[step.number] = node.operands[0];
        return true;
      case Kind::kLess:
        node.operands.erase(node.operands.begin() + static_cast<std::ptrdiff_t>(step.number));
        return true;
      case Kind::kClear:
        word(node, step.number).set(step.bit, false);
        return true;
      case Kind::kClearAll:
        word(node, step.number) = BitVector(node.width);
        return true;
      case Kind::kPort:
        node.resident = false;
        return true;
    }
    return true;
  }

  static BitVector& word(Node& node, uint32_t number) { return node.op == Op::kLut ? node.table[number] : node.value; }

  static void set_width(Node& node, uint32_t bits) {
    node.width = bits;
    if (node.op == Op::kConstant) node.value = resized(node.value, bits);
    for (BitVector& entry : node.table) entry = resized(entry, bits);
  }

  /// Makes the node agree with the widths that its operands have now.
  void fit(Node& node) {
    switch (info(node.op).width) {
      case WidthRule::kCondition:
        if (width(node.operands[0]) != 1) node.operands[0] = add_slice(to_, node.operands[0], 0, 1);
        break;
      case WidthRule::kSlice: {
        const uint32_t bits = width(node.operands[0]);
        node.low = std::min(node.low, bits - 1);
        node.width = std::min(node.width, bits - node.low);
        break;
      }
      case WidthRule::kSum: {
        uint64_t sum = 0;
        for (const NodeId operand : node.operands) sum += width(operand);
        node.width = static_cast<uint32_t>(std::min<uint64_t>(sum, kMaxNodeWidth + 1));  // too wide: refused as a whole
        break;
      }
      case WidthRule::kTable: {
        const auto bits = static_cast<uint32_t>(std::countr_zero(node.table.size()));
        if (width(node.operands[0]) > bits) node.operands[0] = add_slice(to_, node.operands[0], 0, bits);
        node.table.resize(size_t{1} << width(node.operands[0]));
        break;
      }
      case WidthRule::kOperand:
        node.width = width(node.operands[0]);
        break;
      default:
        break;
    }
  }

  const Dag& from_;
  Dag to_;
  std::vector<NodeId> map_;
  std::vector<bool> used_;
  std::map<NodeId, std::vector<DagStep>> steps_;
};

/// Fewer operations first, then fewer and narrower ports, then simpler nodes.
ReduceCost cost_of(const Dag& dag) {
  uint64_t operations = 0, wires = 0, operands = 0, constants = 0, bits = 0, residents = 0, ones = 0, lows = 0;
  for (const Node& node : dag.nodes) {
    bits += node.width;
    lows += node.low;
    operands += node.operands.size();
    residents += node.resident;
    if (node.op == Op::kConstant) ++constants, ones += ones_in(node.value);
    for (const BitVector& entry : node.table) ++bits, ones += ones_in(entry);
    if (node.op == Op::kInput || node.op == Op::kOutput || node.op == Op::kConstant) continue;
    ++(node.op == Op::kSlice ? wires : operations);
    // Of two operands that are the same node, one counts.
    if (node.operands.size() > 1 && std::count(node.operands.begin(), node.operands.end(), node.operands[0]) > 1) --operands;
  }
  return {operations, wires, dag.outputs.size(), dag.inputs.size() + constants, dag.inputs.size(), bits, operands, residents, ones, lows};
}

bool is_operation(const Node& node) {
  return node.op != Op::kInput && node.op != Op::kOutput && node.op != Op::kConstant;
}

using Pass = ReducePass<Dag, DagStep>;

/// Steps of every node, as `add` appends them.
Pass pass_of(std::function<void(const Dag&, NodeId, std::vector<DagStep>&)> add) {
  Pass pass;
  pass.steps = [add = std::move(add)](const Dag& dag) {
    std::vector<DagStep> steps;
    for (NodeId id = 0; id < dag.size(); ++id) add(dag, id, steps);
    return steps;
  };
  pass.apply = [](const Dag& dag, Steps steps) { return Rebuild(dag, steps).run(); };
  return pass;
}

Pass drop_outputs() {
  return pass_of([](const Dag& dag, NodeId id, std::vector<DagStep>& steps) {
    if (dag.node(id).op == Op::kOutput) steps.push_back({Kind::kDrop, id});
  });
}

Pass drop_inputs() {
  Pass pass;
  pass.steps = [](const Dag& dag) {
    const std::vector<bool> used = used_nodes(dag);
    std::vector<DagStep> steps;
    for (const NodeId id : dag.inputs) {
      if (!used[id]) steps.push_back({Kind::kDrop, id});
    }
    return steps;
  };
  pass.apply = [](const Dag& dag, Steps steps) { return Rebuild(dag, steps).run(); };
  return pass;
}

/// Users first, so that what a cut frees goes with it.
Pass replace_operations(Kind kind) {
  Pass pass = pass_of([kind](const Dag& dag, NodeId id, std::vector<DagStep>& steps) {
    if (is_operation(dag.node(id))) steps.push_back({kind, id});
  });
  pass.steps = [steps = std::move(pass.steps)](const Dag& dag) {
    std::vector<DagStep> backwards = steps(dag);
    std::reverse(backwards.begin(), backwards.end());
    return backwards;
  };
  return pass;
}

Pass replace_by_operand(uint32_t number) {
  return pass_of([number](const Dag& dag, NodeId id, std::vector<DagStep>& steps) {
    if (is_operation(dag.node(id)) && number < dag.node(id).operands.size()) steps.push_back({Kind::kOperand, id, number});
  });
}

Pass clear_inputs() {
  return pass_of([](const Dag& dag, NodeId id, std::vector<DagStep>& steps) {
    if (dag.node(id).op == Op::kInput) steps.push_back({Kind::kZero, id});
  });
}

/// To one bit, to half, by one.
Pass narrow(uint32_t (*narrower)(uint32_t)) {
  return pass_of([narrower](const Dag& dag, NodeId id, std::vector<DagStep>& steps) {
    const Node& node = dag.node(id);
    const bool free = info(node.op).width != WidthRule::kSum && info(node.op).width != WidthRule::kOne && node.op != Op::kOutput;
    if (free && narrower(node.width) < node.width) steps.push_back({Kind::kWidth, id, narrower(node.width)});
  });
}

Pass simplify_operands() {
  return pass_of([](const Dag& dag, NodeId id, std::vector<DagStep>& steps) {
    const Node& node = dag.node(id);
    if (node.op == Op::kSlice && node.low > 0) steps.push_back({Kind::kLow, id, 0});
    if (node.resident) steps.push_back({Kind::kPort, id});
    for (uint32_t i = 0; i < node.operands.size() && node.operands.size() > 1; ++i) {
      if (node.op == Op::kConcat) steps.push_back({Kind::kLess, id, i});
      if (i > 0 && node.op != Op::kConcat && node.operands[i] != node.operands[0]) steps.push_back({Kind::kSame, id, i});
    }
  });
}

/// The words of constants and tables: all bits of each, and each bit.
Pass clear_words(bool bitwise) {
  return pass_of([bitwise](const Dag& dag, NodeId id, std::vector<DagStep>& steps) {
    const Node& node = dag.node(id);
    const auto add = [&](const BitVector& value, uint32_t number) {
      if (!bitwise && ones_in(value) > 0) steps.push_back({Kind::kClearAll, id, number});
      for (uint32_t bit = 0; bitwise && bit < value.width; ++bit) {
        if (value.get(bit)) steps.push_back({Kind::kClear, id, number, bit});
      }
    };
    if (node.op == Op::kConstant) add(node.value, 0);
    for (uint32_t i = 0; i < node.table.size(); ++i) add(node.table[i], i);
  });
}

}  // namespace

Dag reduce(const Dag& start, const Keeps<Dag>& keeps, ReduceStats* stats) {
  ReduceStats ignored;
  ReduceSearch<Dag, DagStep> search(
      start, keeps, cost_of, [](const Dag& dag) { return print(dag); }, stats ? *stats : ignored);
  return search.run({drop_outputs(), replace_operations(Kind::kZero), replace_operations(Kind::kInput), replace_by_operand(0),
                     replace_by_operand(1), replace_by_operand(2), replace_operations(Kind::kOnes), drop_inputs(), clear_inputs(),
                     simplify_operands(), narrow([](uint32_t) { return 1u; }), narrow([](uint32_t w) { return (w + 1) / 2; }),
                     narrow([](uint32_t w) { return w - 1 > 0 ? w - 1 : w; }), clear_words(false), clear_words(true)});
}

}  // namespace bitgrid::check
