#include <algorithm>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "ir/dag.h"
#include "ir/error.h"
#include "ir/names.h"
#include "ir/number.h"
#include "ir/text.h"

namespace bitgrid {
namespace {

using Tokens = std::vector<std::string_view>;

Tokens split(std::string_view line) {
  line = line.substr(0, line.find('#'));
  Tokens tokens;
  size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
    const size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    tokens.push_back(line.substr(at, end - at));
    at = end;
  }
  return tokens;
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& source) : text_(without_bom(text)), source_(source) {}

  Dag parse() {
    while (!text_.empty()) {
      ++line_;
      const size_t end = text_.find('\n');
      const Tokens tokens = split(text_.substr(0, end));
      text_ = end == std::string_view::npos ? std::string_view() : text_.substr(end + 1);
      if (!tokens.empty()) parse_line(tokens);
    }
    if (dag_.name.empty()) throw Error(source_, "it is empty", "the first line must be: dag NAME");
    try {
      verify(dag_);
    } catch (const Error& error) {
      throw Error(source_, error.what());
    }
    return std::move(dag_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const {
    throw Error(source_ + ":" + std::to_string(line_), problem, cure);
  }

  void parse_line(const Tokens& tokens) {
    if (dag_.name.empty()) return parse_header(tokens);
    if (tokens.size() > 1 && tokens[1] == "=") return parse_definition(tokens);
    if (tokens[0] == "input") return parse_input(tokens);
    if (tokens[0] == "output") return parse_output(tokens);
    fail("\"" + std::string(tokens[0]) + "\" cannot start a line", "write input, output, or NAME:WIDTH = OPERATION OPERANDS");
  }

  void parse_header(const Tokens& tokens) {
    if (tokens.size() != 2 || tokens[0] != "dag") fail("this is not a Dag", "the first line must be: dag NAME");
    dag_.name = name(tokens[1]);
  }

  void parse_input(const Tokens& tokens) {
    const bool resident = tokens.size() == 4 && tokens[3] == "resident";
    if (tokens.size() != 3 && !resident) fail("this is not an input", "write: input NAME WIDTH, or: input NAME WIDTH resident");
    const std::string input = new_name(tokens[1]);
    define(input, add_input(dag_, input, width(tokens[2]), resident));
  }

  void parse_output(const Tokens& tokens) {
    if (tokens.size() != 3) fail("this is not an output", "write: output NAME OPERAND");
    const std::string output = new_name(tokens[1]);
    const NodeId operand = known(tokens[2]);
    define(output, add_output(dag_, output, operand));
  }

  void parse_definition(const Tokens& tokens) {
    if (tokens.size() < 3) fail("an operation is missing", "write: NAME:WIDTH = OPERATION OPERANDS");
    const std::string_view result_name = tokens[0].substr(0, tokens[0].find(':'));
    if (tokens[2] == "input") fail("inputs are lines of their own", fmt::format("write: input {} WIDTH", result_name));
    if (tokens[2] == "output") fail("outputs are lines of their own", fmt::format("write: output {} OPERAND", result_name));
    const OpInfo& op = operation(tokens[2]);
    const Tokens rest(tokens.begin() + 3, tokens.end());
    if (op.attribute == Attribute::kValue) return parse_constant(tokens[0], rest);
    const size_t colon = tokens[0].find(':');
    if (colon == std::string_view::npos)
      fail("\"" + std::string(tokens[0]) + "\" has no width", fmt::format("write: {}:WIDTH = ...", tokens[0]));
    const std::string result = new_name(tokens[0].substr(0, colon));
    const uint32_t bits = width(tokens[0].substr(colon + 1));
    if (op.attribute == Attribute::kLow) return parse_slice(result, bits, rest);
    if (op.attribute == Attribute::kTable) return parse_lut(result, bits, rest);
    const int count = static_cast<int>(rest.size());
    if (count < op.min_operands || (op.max_operands >= 0 && count > op.max_operands))
      fail(std::string(op.name) + " has " + std::to_string(count) + " operands",
           "give it " + std::to_string(op.min_operands) + (op.max_operands < 0 ? " or more" : ""));
    std::vector<NodeId> operands;
    for (const std::string_view token : rest) operands.push_back(known(token));
    define(result, add_node(dag_, op.op, bits, operands, result));
  }

  void parse_constant(std::string_view result, const Tokens& rest) {
    if (rest.size() != 2) fail("this is not a constant", "write: NAME = constant WIDTH 0xHEX");
    const std::string constant = new_name(result);
    if (!rest[1].starts_with("0x")) fail("\"" + std::string(rest[1]) + "\" is not a value", "write 0x and hexadecimal digits");
    const BitVector value = hex(rest[1].substr(2), width(rest[0]));
    define(constant, add_constant(dag_, value, constant));
  }

  void parse_slice(const std::string& result, uint32_t bits, const Tokens& rest) {
    if (rest.size() != 2) fail("this is not a slice", "write: NAME:WIDTH = slice OPERAND LOWEST_BIT");
    const NodeId operand = known(rest[0]);
    define(result, add_slice(dag_, operand, number(rest[1], "bit number"), bits, result));
  }

  void parse_lut(const std::string& result, uint32_t bits, const Tokens& rest) {
    if (rest.size() < 2) fail("this is not a lut", "write: NAME:WIDTH = lut OPERAND WORD WORD ..., in hexadecimal, index 0 first");
    const NodeId operand = known(rest[0]);
    if ((rest.size() - 1) * bits > kMaxTableBits)
      fail("the table is too large", "a table holds at most " + std::to_string(kMaxTableBits) + " bits; split it");
    std::vector<BitVector> table;
    for (size_t i = 1; i < rest.size(); ++i) table.push_back(hex(rest[i], bits));
    define(result, add_lut(dag_, operand, table, result));
  }

  const OpInfo& operation(std::string_view token) const {
    std::string names;
    for (const OpInfo& op : op_table()) {
      if (op.op == Op::kInput || op.op == Op::kOutput) continue;
      if (op.name == token) return op;
      names += (names.empty() ? "" : ", ") + std::string(op.name);
    }
    fail("there is no operation \"" + std::string(token) + "\"", "the operations are " + names);
  }

  std::string name(std::string_view token) const {
    if (!is_name(token)) fail("\"" + std::string(token) + "\" is not a name", kNameCure);
    return std::string(token);
  }

  std::string new_name(std::string_view token) const {
    std::string result = name(token);
    if (ids_.contains(result)) fail("\"" + result + "\" is defined twice", "rename one");
    return result;
  }

  NodeId known(std::string_view token) const {
    const auto found = ids_.find(std::string(token));
    if (found == ids_.end()) fail("\"" + std::string(token) + "\" is not defined above", "define operands before their users");
    return found->second;
  }

  void define(const std::string& name, NodeId id) { ids_.emplace(name, id); }

  uint32_t number(std::string_view token, const std::string& what) const {
    const auto value = parse_whole(token, uint32_t{0}, UINT32_MAX);
    if (!value) fail("\"" + std::string(token) + "\" is not a " + what, "write a decimal number");
    return *value;
  }

  uint32_t width(std::string_view token) const {
    const uint32_t value = number(token, "width");
    if (value == 0 || value > kMaxNodeWidth)
      fail("the width is " + std::string(token), "widths go from 1 to " + std::to_string(kMaxNodeWidth));
    return value;
  }

  BitVector hex(std::string_view digits, uint32_t bits) const {
    try {
      return from_hex(std::string(digits), bits);
    } catch (const Error& error) {
      throw Error(source_ + ":" + std::to_string(line_), error.what());
    }
  }

  std::string_view text_;
  std::string source_;
  size_t line_ = 0;
  Dag dag_;
  std::unordered_map<std::string, NodeId> ids_;
};

/// Hexadecimal digits without leading zeros.
std::string short_hex(const BitVector& value) {
  const std::string digits = to_hex(value);
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1));
}

void print_node(const Node& node, const std::string& name, const std::vector<std::string>& names, std::string& out) {
  const OpInfo& op = info(node.op);
  std::string operands;
  for (const NodeId id : node.operands) operands += fmt::format(" {}", names[id]);
  switch (node.op) {
    case Op::kInput:
      out += fmt::format("input {} {}{}\n", name, node.width, node.resident ? " resident" : "");
      return;
    case Op::kConstant:
      out += fmt::format("{} = constant {} 0x{}\n", name, node.width, short_hex(node.value));
      return;
    case Op::kOutput:
      out += fmt::format("output {}{}\n", name, operands);
      return;
    default:
      out += fmt::format("{}:{} = {}{}", name, node.width, op.name, operands);
  }
  if (op.attribute == Attribute::kLow) out += fmt::format(" {}", node.low);
  for (const BitVector& word : node.table) out += fmt::format(" {}", short_hex(word));
  out += "\n";
}

}  // namespace

std::string print(const Dag& dag) {
  std::string out = "dag " + dag.name + "\n";
  const std::vector<std::string> names = node_names(dag);
  for (NodeId id = 0; id < dag.size(); ++id) print_node(dag.node(id), names[id], names, out);
  return out;
}

Dag parse_dag(std::string_view text, const std::string& source) {
  return Parser(text, source).parse();
}

}  // namespace bitgrid
