// LogicGraph: two-input AND and XOR nodes with complemented edges, hashed and folded. Technology mapping starts from it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/bits.h"
#include "ir/cover_network.h"
#include "ir/dag.h"
#include "ir/lut_network.h"

namespace bitgrid::synthesis {

/// 2 * node + 1 if complemented. Node 0 is the constant 0.
using Literal = uint32_t;
inline constexpr Literal kFalse = 0, kTrue = 1;

struct LogicNode {
  enum class Kind : uint8_t { kConstant, kInput, kAnd, kXor } kind = Kind::kConstant;
  Literal a = 0;  // of kAnd and kXor; the operands of an XOR are never complemented
  Literal b = 0;
};

struct LogicGraph {
  std::string name;
  std::vector<LogicNode> nodes{1};  // topological: the constant, the inputs, then gates; some may be unused
  std::vector<std::string> inputs;
  struct Output {
    std::string name;
    Literal literal = 0;
  };
  std::vector<Output> outputs;
  std::unordered_map<uint64_t, uint32_t> hash;  // of gates by kind and operands
};

/// Inputs must be added before gates.
Literal add_input(LogicGraph& graph, const std::string& name);
Literal make_and(LogicGraph& graph, Literal a, Literal b);  // (a xor b made of three ANDs becomes a kXor)
Literal make_xor(LogicGraph& graph, Literal a, Literal b);
inline Literal make_not(Literal a) {
  return a ^ 1u;
}
inline Literal make_or(LogicGraph& graph, Literal a, Literal b) {
  return make_and(graph, a ^ 1u, b ^ 1u) ^ 1u;
}
Literal make_select(LogicGraph& graph, Literal condition, Literal if_one, Literal if_zero);
Literal make_majority(LogicGraph& graph, Literal a, Literal b, Literal c);

/// Decomposes a table (at most 64 outputs over the same inputs; entry i = the outputs for index i) by Shannon's expansion with shared
/// subfunctions, in the best of a few variable orders. table.size() == 2^operands.size().
std::vector<Literal> make_table(LogicGraph& graph, const std::vector<Literal>& operands, const std::vector<uint64_t>& table);

/// Returns the bit level of a Dag: input bit i of the Dag is input i. Resident inputs become ordinary inputs. Bits are called NAME[i] (NAME
/// if there is one bit).
LogicGraph logic_graph(const Dag& dag);
LogicGraph logic_graph(const CoverNetwork& network);
LogicGraph logic_graph(const LutNetwork& network);

/// Returns the number of AND and XOR nodes that outputs depend on.
size_t gate_count(const LogicGraph& graph);

}  // namespace bitgrid::synthesis
