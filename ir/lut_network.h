// LutNetwork: a combinational network of look-up tables of at most four inputs. What mapping, proofs and Verilog read.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/bits.h"

namespace bitgrid {

/// A signal: inputs come first (0 .. inputs - 1), then nodes in order.
using SignalId = uint32_t;
inline constexpr SignalId kConstantSignal = ~SignalId{0};  // 0; an output of it that is complemented is 1

struct LutNode {
  uint8_t fanin_count = 0;           // 0 .. 4
  std::array<SignalId, 4> fanins{};  // the first fanin_count are used; smaller than the node's own signal, all different
  uint16_t table = 0;                // bit i = output for index i, fan-in j is bit j of the index; bits from 2^fanin_count on are 0
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

/// Fan-ins of a node.
inline std::span<const SignalId> fanins(const LutNode& node) {
  return {node.fanins.data(), node.fanin_count};
}

/// Name of a signal for messages and text: the input's, or "n" and the node's number (with as many "_" as it takes to differ from inputs
/// and outputs).
std::string signal_name(const LutNetwork& network, SignalId signal);

/// Longest path in LUTs.
int depth(const LutNetwork& network);

/// Throws Error (network, node, what is wrong, cure) unless ids, order, fan-ins, tables and names are right.
void verify(const LutNetwork& network);

/// Evaluates a batch of invocations, 64 a machine word. inputs.cols == network.inputs.size(); returns rows x outputs.
/// Throws Error if the number of columns is wrong.
BitMatrix evaluate(const LutNetwork& network, const BitMatrix& inputs);

/// Text form: BLIF, so that other tools (ABC's `cec`) read it. Names are kept as they are.
std::string to_blif(const LutNetwork& network);

}  // namespace bitgrid
