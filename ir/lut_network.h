// LutNetwork: a combinational network of look-up tables with at most four inputs each. Mapping, proofs and Verilog read it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/bits.h"

namespace bitgrid {

/// A signal id: inputs come first (0 .. inputs - 1), then nodes in order.
using SignalId = uint32_t;
inline constexpr SignalId kConstantSignal = ~SignalId{0};  // the constant 0; a complemented output of it is 1

struct LutNode {
  uint8_t fanin_count = 0;           // 0 .. 4
  std::array<SignalId, 4> fanins{};  // the first fanin_count are used; all differ and are smaller than the node's own signal
  uint16_t table = 0;                // bit i = output for index i; fan-in j is bit j of the index; bits from 2^fanin_count on are 0
  bool operator==(const LutNode&) const = default;
};

struct LutOutput {
  std::string name;
  SignalId signal = kConstantSignal;
  bool complemented = false;
  bool operator==(const LutOutput&) const = default;
};

struct LutNetwork {
  std::string name;
  std::vector<std::string> inputs;
  std::vector<LutNode> nodes;
  std::vector<LutOutput> outputs;

  SignalId signal_of_node(size_t node) const { return static_cast<SignalId>(inputs.size() + node); }
  bool is_input(SignalId s) const { return s < inputs.size(); }
  const LutNode& node_of(SignalId s) const { return nodes[s - inputs.size()]; }
  bool operator==(const LutNetwork&) const = default;
};

/// Returns the fan-ins of a node.
inline std::span<const SignalId> fanins(const LutNode& node) {
  return {node.fanins.data(), node.fanin_count};
}

/// Returns the name of a signal for messages and text: the input's name, or "n" plus the node's number (with enough "_" to differ from
/// inputs and outputs).
std::string signal_name(const LutNetwork& network, SignalId signal);

/// Returns the longest path in LUTs.
int depth(const LutNetwork& network);

/// Throws Error (network, node, what is wrong, cure) if ids, order, fan-ins, tables or names are wrong.
void verify(const LutNetwork& network);

/// Evaluates a batch of invocations, 64 per machine word. inputs.cols == network.inputs.size(); returns rows x outputs. Throws Error if the
/// number of columns is wrong.
BitMatrix evaluate(const LutNetwork& network, const BitMatrix& inputs);

/// Returns the network as BLIF, which other tools (ABC's `cec`) can read. Names are kept.
std::string to_blif(const LutNetwork& network);

}  // namespace bitgrid
