#include "rtl/standard_cells.h"

#include <set>

#include <fmt/format.h>

#include "ir/error.h"

namespace bitgrid::rtl {
namespace {

/// Functions of the inputs A, B, C, D in Liberty's notation.
const std::map<std::string, std::string>& functions() {
  static const std::map<std::string, std::string> table = {
      {"BUF", "A"},
      {"INV", "A'"},
      {"NAND2", "(A*B)'"},
      {"NAND3", "(A*B*C)'"},
      {"NOR2", "(A+B)'"},
      {"NOR3", "(A+B+C)'"},
      {"AND2", "A*B"},
      {"OR2", "A+B"},
      {"AOI21", "((A*B)+C)'"},
      {"OAI21", "((A+B)*C)'"},
      {"AOI22", "((A*B)+(C*D))'"},
      {"OAI22", "((A+B)*(C+D))'"},
      {"XOR2", "A^B"},
      {"XNOR2", "(A^B)'"},
      {"MUX2", "(A*C')+(B*C)"},
  };
  return table;
}

constexpr const char* kFlipFlop = R"(    ff(IQ, IQN) { clocked_on : "C"; next_state : "D"; }
    pin(C) { direction : input; clock : true; }
    pin(D) { direction : input; }
    pin(Q) { direction : output; function : "IQ"; }
)";

std::string gate(const std::string& function) {
  std::set<char> inputs;
  for (const char c : function) {
    if (c >= 'A' && c <= 'D') inputs.insert(c);
  }
  std::string text;
  for (const char c : inputs) text += fmt::format("    pin({}) {{ direction : input; }}\n", c);
  return text + fmt::format("    pin(Y) {{ direction : output; function : \"{}\"; }}\n", function);
}

}  // namespace

std::string liberty(const StandardCells& cells) {
  for (const char* kind : {"BUF", "INV", "NAND2", "DFF"}) {
    if (!cells.contains(kind)) throw Error("standard cells", fmt::format("there is no {}", kind), "give its area");
  }
  std::string text = "library(cells) {\n";
  for (const auto& [kind, area] : cells) {
    if (kind == "DLATCH") continue;
    const auto function = functions().find(kind);
    if (function == functions().end() && kind != "DFF")
      throw Error("standard cells", fmt::format("{} is not a kind of cell", kind), "rtl/standard_cells.h lists the kinds");
    text += fmt::format("  cell({}) {{\n    area : {};\n", kind, area) + (kind == "DFF" ? kFlipFlop : gate(function->second)) + "  }\n";
  }
  return text + "}\n";
}

}  // namespace bitgrid::rtl
