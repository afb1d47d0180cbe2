// Builds a LutNetwork node by node. Equal nodes are shared, and constants and copies are folded away.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "ir/lut_network.h"

namespace bitgrid::check {

/// A signal and whether it is complemented; kConstantSignal is the constant 0.
struct LutLiteral {
  SignalId signal = kConstantSignal;
  bool complemented = false;
  bool operator==(const LutLiteral&) const = default;
  auto operator<=>(const LutLiteral&) const = default;
  bool is_constant() const { return signal == kConstantSignal; }
};

class LutBuilder {
 public:
  /// Adds an input. Inputs are signals 0 .. inputs - 1 and may still be added after nodes; `take` renumbers.
  LutLiteral add_input() { return {kInputFlag | inputs_++, false}; }
  /// Bit i of `table` is the value for index i; operand j is bit j of the index.
  LutLiteral add_lut(uint16_t table, std::array<LutLiteral, 4> operands);
  LutLiteral add_select(LutLiteral condition, LutLiteral if_one, LutLiteral if_zero);

  uint32_t inputs() const { return inputs_; }
  size_t nodes() const { return nodes_.size(); }
  /// Returns the nodes that `outputs` depend on. Inputs are called "i0", "i1" ..., outputs "o0", "o1" ...
  LutNetwork take(const std::vector<LutLiteral>& outputs) const;

 private:
  static constexpr SignalId kInputFlag = SignalId{1} << 31;  // marks the number of an input; otherwise of a node

  std::map<std::pair<uint16_t, std::vector<SignalId>>, SignalId> hash_;
  std::vector<LutNode> nodes_;
  uint32_t inputs_ = 0;
};

}  // namespace bitgrid::check
