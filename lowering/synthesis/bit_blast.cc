// From words to gates, and from covers and LUTs to gates.
#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "ir/error.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::synthesis {
namespace {

using Word = std::vector<Literal>;  // bit 0 first

Literal bit(const Word& w, size_t i) {
  return i < w.size() ? w[i] : kFalse;
}

std::string bit_name(const std::string& name, uint32_t width, uint32_t i) {
  return width == 1 ? name : fmt::format("{}[{}]", name, i);
}

struct Sum {
  Literal sum;
  Literal carry;
};

Sum full_add(LogicGraph& g, Literal a, Literal b, Literal c) {
  return {make_xor(g, make_xor(g, a, b), c), make_majority(g, a, b, c)};
}

Word add(LogicGraph& g, uint32_t width, const Word& a, const Word& b, Literal invert_b, Literal carry) {
  Word sum;
  for (uint32_t i = 0; i < width; ++i) {
    const Sum s = full_add(g, bit(a, i), bit(b, i) ^ invert_b, carry);
    sum.push_back(s.sum);
    carry = s.carry;
  }
  return sum;
}

// a < b: the borrow of a - b, from bit 0 up.
Literal less(LogicGraph& g, const Word& a, const Word& b) {
  Literal borrow = kFalse;
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) borrow = make_majority(g, bit(a, i) ^ 1u, bit(b, i), borrow);
  return borrow;
}

// Carry-save: three bits of a weight become one of it and one of the next, oldest first, so that the tree is flat.
Word popcount(LogicGraph& g, uint32_t width, const Word& a) {
  Word result;
  std::deque<Literal> column(a.begin(), a.end());
  for (uint32_t i = 0; i < width; ++i) {
    std::deque<Literal> next;
    while (column.size() > 1) {
      const bool half = column.size() == 2;
      const Sum s = full_add(g, column[0], column[1], half ? kFalse : column[2]);
      column.erase(column.begin(), column.begin() + (half ? 2 : 3));
      column.push_back(s.sum);
      next.push_back(s.carry);
    }
    result.push_back(column.empty() ? kFalse : column[0]);
    column = std::move(next);
  }
  return result;
}

Word table_lookup(LogicGraph& g, const Node& node, const Word& a) {
  Word result;
  for (uint32_t group = 0; 64 * group < node.width; ++group) {
    std::vector<uint64_t> table;
    for (const BitVector& word : node.table) table.push_back(word.words[group]);
    const std::vector<Literal> part = make_table(g, a, table);
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

template <typename Gate>
Word bitwise(const Node& node, const Word& a, const Word& b, Gate gate) {
  Word result;
  for (uint32_t i = 0; i < node.width; ++i) result.push_back(gate(bit(a, i), bit(b, i)));
  return result;
}

Word blast(LogicGraph& g, const Node& node, const std::vector<const Word*>& in) {
  switch (node.op) {
    case Op::kInput:
      break;  // made before
    case Op::kConstant: {
      Word word;
      for (uint32_t i = 0; i < node.width; ++i) word.push_back(node.value.get(i) ? kTrue : kFalse);
      return word;
    }
    case Op::kXnor:
      return bitwise(node, *in[0], *in[1], [&](Literal a, Literal b) { return make_xor(g, a, b) ^ 1u; });
    case Op::kXor:
      return bitwise(node, *in[0], *in[1], [&](Literal a, Literal b) { return make_xor(g, a, b); });
    case Op::kAnd:
      return bitwise(node, *in[0], *in[1], [&](Literal a, Literal b) { return make_and(g, a, b); });
    case Op::kOr:
      return bitwise(node, *in[0], *in[1], [&](Literal a, Literal b) { return make_or(g, a, b); });
    case Op::kNot:
      return bitwise(node, *in[0], {}, [](Literal a, Literal) { return a ^ 1u; });
    case Op::kSelect:
      return bitwise(node, *in[1], *in[2], [&](Literal a, Literal b) { return make_select(g, (*in[0])[0], a, b); });
    case Op::kSlice: {
      Word word;
      for (uint32_t i = 0; i < node.width; ++i) word.push_back(bit(*in[0], node.low + i));
      return word;
    }
    case Op::kConcat: {
      Word word;
      for (size_t i = in.size(); i-- > 0;) word.insert(word.end(), in[i]->begin(), in[i]->end());
      return word;
    }
    case Op::kPopcount:
      return popcount(g, node.width, *in[0]);
    case Op::kAdd:
      return add(g, node.width, *in[0], *in[1], 0, kFalse);
    case Op::kSubtract:
      return add(g, node.width, *in[0], *in[1], 1, kTrue);
    case Op::kLess:
      return {less(g, *in[0], *in[1])};
    case Op::kLut:
      return table_lookup(g, node, *in[0]);
    case Op::kOutput:
      return *in[0];
  }
  throw Error("node " + node.name, "the operation has no gates", "add it to lowering/synthesis/bit_blast.cc");
}

// Products and sums of a cover, as balanced trees over what arrives first.
Literal balanced(LogicGraph& g, std::vector<Literal> terms, bool conjunction) {
  if (terms.empty()) return conjunction ? kTrue : kFalse;
  for (size_t next = 0; next + 1 < terms.size(); next += 2)
    terms.push_back(conjunction ? make_and(g, terms[next], terms[next + 1]) : make_or(g, terms[next], terms[next + 1]));
  return terms.back();
}

}  // namespace

LogicGraph logic_graph(const Dag& dag) {
  LogicGraph g;
  g.name = dag.name;
  std::vector<Word> words(dag.size());
  for (const NodeId id : dag.inputs) {
    const Node& node = dag.node(id);
    for (uint32_t i = 0; i < node.width; ++i) words[id].push_back(add_input(g, bit_name(node.name, node.width, i)));
  }
  for (NodeId id = 0; id < dag.size(); ++id) {
    const Node& node = dag.node(id);
    if (node.op == Op::kInput) continue;
    std::vector<const Word*> in;
    for (const NodeId operand : node.operands) in.push_back(&words[operand]);
    words[id] = blast(g, node, in);
    words[id].resize(node.width, kFalse);
  }
  for (const NodeId id : dag.outputs) {
    const Node& node = dag.node(id);
    for (uint32_t i = 0; i < node.width; ++i) g.outputs.push_back({bit_name(node.name, node.width, i), words[id][i]});
  }
  return g;
}

LogicGraph logic_graph(const CoverNetwork& network) {
  LogicGraph g;
  g.name = network.name;
  std::vector<Literal> signals;
  for (const std::string& name : network.inputs) signals.push_back(add_input(g, name));
  for (const CoverNode& node : network.nodes) {
    std::vector<Literal> products;
    for (const CoverRow& row : node.rows) {
      std::vector<Literal> literals;
      for (size_t i = 0; i < row.size(); ++i)
        if (row[i] != '-') literals.push_back(signals[node.fanins[i]] ^ (row[i] == '0'));
      products.push_back(balanced(g, literals, true));
    }
    signals.push_back(balanced(g, products, false) ^ node.complemented);
  }
  for (const auto& o : network.outputs) g.outputs.push_back({o.name, signals[o.signal]});
  return g;
}

LogicGraph logic_graph(const LutNetwork& network) {
  LogicGraph g;
  g.name = network.name;
  std::vector<Literal> signals;
  for (const std::string& name : network.inputs) signals.push_back(add_input(g, name));
  for (const LutNode& node : network.nodes) {
    std::vector<Literal> operands;
    for (const SignalId f : fanins(node)) operands.push_back(signals[f]);
    std::vector<uint64_t> table;
    for (unsigned i = 0; i < (1u << node.fanin_count); ++i) table.push_back((node.table >> i) & 1u);
    signals.push_back(make_table(g, operands, table)[0]);
  }
  for (const LutOutput& o : network.outputs)
    g.outputs.push_back({o.name, (o.signal == kConstantSignal ? kFalse : signals[o.signal]) ^ static_cast<Literal>(o.complemented)});
  return g;
}

}  // namespace bitgrid::synthesis
