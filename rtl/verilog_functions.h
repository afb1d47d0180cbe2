// Verilog functions that a datapath module calls: popcounts and tables. Each is written once, no matter how many nodes call it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/bits.h"

namespace bitgrid::rtl {

/// Returns W'hDIGITS.
std::string verilog_literal(const BitVector& value);

/// Returns "[W-1:0] ", or nothing for one bit.
std::string verilog_range(uint32_t width);

class VerilogFunctions {
 public:
  /// Returns the number of ones of an operand, as an expression of `width` bits. `bits(low, width)` writes that part of the operand.
  std::string popcount(const std::function<std::string(uint32_t, uint32_t)>& bits, uint32_t operand_width, uint32_t width);

  /// Returns table[operand], for an operand of log2(table.size()) bits.
  std::string lut(const std::string& operand, const std::vector<BitVector>& table);

  /// Returns the functions that were requested so far.
  const std::string& text() const { return text_; }

 private:
  std::string popcount_function(uint32_t operand_width, uint32_t width);

  std::string text_;
  std::map<std::string, std::string> names_;  // by what the function does
};

}  // namespace bitgrid::rtl
