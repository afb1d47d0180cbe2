#include "rtl/verilog_functions.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace bitgrid::rtl {
namespace {

/// Widest popcount in one function: what fits a machine word simulates fastest.
constexpr uint32_t kChunk = 64;

/// Ones wherever bit `step` of the bit number is 0: the even fields of `step` bits.
BitVector even_fields(uint32_t width, uint32_t step) {
  BitVector mask(width);
  for (uint32_t i = 0; i < width; ++i) mask.set(i, (i & step) == 0);
  return mask;
}

/// `expression` of `from` bits extended with zeros.
std::string extend(const std::string& expression, uint32_t from, uint32_t to) {
  return from == to ? expression : fmt::format("{{{}'b0, {}}}", to - from, expression);
}

/// Without this Verilator copies the body to every call, and thousands of copies take minutes to compile. It allows it for results of up to
/// 64 bits only.
std::string_view one_copy(uint32_t width) {
  return width <= 64 ? "    /* verilator no_inline_task */\n" : "";
}

}  // namespace

std::string verilog_literal(const BitVector& value) {
  const std::string digits = to_hex(value);
  return fmt::format("{}'h{}", value.width, digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1)));
}

std::string verilog_range(uint32_t width) {
  return width == 1 ? "" : fmt::format("[{}:0] ", width - 1);
}

std::string VerilogFunctions::popcount_function(uint32_t operand_width, uint32_t width) {
  std::string name = fmt::format("popcount_{}_{}", operand_width, width);
  if (!names_.emplace(name, name).second) return name;
  // Neighbouring fields of 1, 2, 4 ... bits are added until one is left.
  text_ += fmt::format("  function automatic {}{}(input {}a);\n", verilog_range(width), name, verilog_range(operand_width));
  text_ += fmt::format("{}    reg {}t;\n    begin\n      t = a;\n", one_copy(width), verilog_range(operand_width));
  for (uint32_t step = 1; step < operand_width; step *= 2) {
    const std::string mask = verilog_literal(even_fields(operand_width, step));
    text_ += fmt::format("      t = (t & {0}) + ((t >> {1}) & {0});\n", mask, step);
  }
  text_ += fmt::format("      {} = t{};\n    end\n  endfunction\n\n", name,
                       width == operand_width ? "" : (width == 1 ? "[0]" : fmt::format("[{}:0]", width - 1)));
  return name;
}

std::string VerilogFunctions::popcount(const std::function<std::string(uint32_t, uint32_t)>& bits, uint32_t operand_width, uint32_t width) {
  std::string sum;
  for (uint32_t first = 0; first < operand_width; first += kChunk) {
    const uint32_t chunk = std::min(kChunk, operand_width - first);
    const uint32_t count_width = std::min(width, static_cast<uint32_t>(std::bit_width(chunk)));
    const std::string count =
        chunk == 1 ? "(" + bits(first, chunk) + ")" : fmt::format("{}({})", popcount_function(chunk, count_width), bits(first, chunk));
    sum += (sum.empty() ? "" : " + ") + extend(count, count_width, width);
  }
  return sum;
}

std::string VerilogFunctions::lut(const std::string& operand, const std::vector<BitVector>& table) {
  const uint32_t inputs = static_cast<uint32_t>(std::countr_zero(table.size()));
  const uint32_t width = table[0].width;
  std::string body;
  for (size_t i = 0; i < table.size(); ++i)
    body += fmt::format("        {}: y = {};\n", verilog_literal(BitVector(inputs, i)), verilog_literal(table[i]));
  const auto [found, is_new] = names_.emplace(body, fmt::format("lut_{}", names_.size()));
  if (is_new) {
    const std::string& name = found->second;
    text_ += fmt::format("  function automatic {}{}(input {}a);\n", verilog_range(width), name, verilog_range(inputs));
    text_ += fmt::format("{}    reg {}y;\n    begin\n      case (a)\n{}      endcase\n", one_copy(width), verilog_range(width), body);
    text_ += fmt::format("      {} = y;\n    end\n  endfunction\n\n", name);
  }
  return fmt::format("{}({})", found->second, operand);
}

}  // namespace bitgrid::rtl
