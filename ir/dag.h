// Dag: word-level operations on unsigned bit vectors of explicit width. A Dag defines what a kernel computes.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "ir/bits.h"

namespace bitgrid {

/// Operations. Each has one row in the table in dag.cc (`op_table()`), which tells the parser, printer, verifier, evaluator and Verilog
/// writer all they need. Operands and results are unsigned, bit 0 least significant. Narrower operands are zero-extended, and a result
/// wraps to the node's width.
enum class Op : uint8_t {
  kInput,     // no operands; `resident` inputs live in LUT contents
  kConstant,  // value
  kXnor,      // a, b
  kXor,       // a, b
  kAnd,       // a, b
  kOr,        // a, b
  kNot,       // a
  kSelect,    // condition (1 bit), if 1, if 0
  kSlice,     // a, bits low .. low + width - 1
  kConcat,    // most significant first
  kPopcount,  // number of ones of a
  kAdd,       // a, b
  kSubtract,  // a, b; modulo 2^width
  kLess,      // a < b, 1 bit
  kLut,       // table of 2^(operand width) words of `width` bits, indexed by a
  kOutput,    // a; the node's name is the output's name
};

/// What an operation carries besides its operands.
enum class Attribute : uint8_t { kNone, kResident, kValue, kLow, kTable };

/// What `verify` requires of the width of a node.
enum class WidthRule : uint8_t {
  kAny,        // operands are extended with zeros or cut to the node's width
  kValue,      // the width of the node's value
  kCondition,  // as kAny, but the first operand is 1 bit wide
  kSlice,      // low + width <= width of the operand
  kSum,        // sum of the widths of the operands
  kOne,        // 1
  kTable,      // the width of every word of a table of 2^(operand width) words
  kOperand,    // the width of the operand
};

/// How many logic levels an operation is assumed to cost (see `logic_levels`).
enum class Levels : uint8_t { kWires, kGate, kCarry, kTree, kTable };

struct Evaluation;  // ir/dag_eval.h

struct OpInfo {
  Op op;
  std::string_view name;  // in the text form
  int min_operands;
  int max_operands;  // -1: any number
  Attribute attribute;
  WidthRule width;
  Levels levels;
  std::string_view verilog;  // {0} {1} {2}: operands brought to the node's (kOne: to a common) width; empty: not a Verilog expression
  void (*evaluate)(const Evaluation&);  // 64 invocations in each word; null: nothing to compute
};

/// The only table of operations, indexed by Op.
const std::vector<OpInfo>& op_table();
inline const OpInfo& info(Op op) {
  return op_table()[static_cast<size_t>(op)];
}

/// These limits keep a typo in a file from using up all memory.
inline constexpr uint32_t kMaxNodeWidth = 1u << 16;
inline constexpr uint32_t kMaxLutInputs = 16;
inline constexpr uint32_t kMaxTableBits = 1u << 24;

using NodeId = uint32_t;

struct Node {
  Op op = Op::kConstant;
  uint32_t width = 0;
  std::string name;              // unique in the Dag; may be empty except for inputs and outputs (see `node_names`)
  std::vector<NodeId> operands;  // in order; smaller ids than the node's own
  BitVector value;               // kConstant
  uint32_t low = 0;              // kSlice
  bool resident = false;         // kInput
  std::vector<BitVector> table;  // kLut: 2^k words of `width` bits
};

struct Dag {
  std::string name;
  std::vector<Node> nodes;      // by id, topologically ordered: an operand's id is smaller than its user's
  std::vector<NodeId> inputs;   // in order of creation: bit offsets of BitMatrix columns follow this order
  std::vector<NodeId> outputs;  // in order of creation as well

  size_t size() const { return nodes.size(); }
  const Node& node(NodeId id) const { return nodes[id]; }
};

/// Returns the sum of the widths of all inputs / outputs, which is the number of columns in a batch's BitMatrix.
uint32_t input_bits(const Dag& dag);
uint32_t output_bits(const Dag& dag);
/// Returns the first column of an input or output node. Throws Error if no such node has that name.
uint32_t input_offset(const Dag& dag, std::string_view name);
uint32_t output_offset(const Dag& dag, std::string_view name);

/// Returns a name for every node, by id. A node without a name is called "n" plus its id, with enough "_" after the "n" to differ from all
/// given names.
std::vector<std::string> node_names(const Dag& dag);

// Builders: each adds a node and returns its id.
NodeId add_input(Dag& dag, const std::string& name, uint32_t width, bool resident = false);
NodeId add_constant(Dag& dag, const BitVector& value, const std::string& name = "");
NodeId add_constant(Dag& dag, uint32_t width, uint64_t value, const std::string& name = "");
NodeId add_node(Dag& dag, Op op, uint32_t width, const std::vector<NodeId>& operands, const std::string& name = "");
NodeId add_slice(Dag& dag, NodeId a, uint32_t low, uint32_t width, const std::string& name = "");
NodeId add_lut(Dag& dag, NodeId a, const std::vector<BitVector>& table, const std::string& name = "");
NodeId add_output(Dag& dag, const std::string& name, NodeId a);

/// Returns the logic levels of a node: 0 for wires, 1 for a gate, logarithmic in the width for adders, comparisons, popcounts and tables.
uint32_t logic_levels(const Dag& dag, NodeId id);

/// Throws Error (node, what is wrong, cure) if widths, operand counts, names, tables or order are wrong.
void verify(const Dag& dag);

/// Text form. `parse_dag(print(dag))` returns the same Dag with a name for every node, and printing that gives the same text. Errors name
/// the source, the line and the cure.
std::string print(const Dag& dag);
Dag parse_dag(std::string_view text, const std::string& source = "dag");

/// Evaluates a batch of invocations, 64 per machine word. inputs.cols == input_bits(dag); returns rows x output_bits(dag).
BitMatrix evaluate(const Dag& dag, const BitMatrix& inputs);

/// Returns Graphviz text, for looking at small kernels.
std::string to_dot(const Dag& dag);

}  // namespace bitgrid
