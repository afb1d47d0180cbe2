// CoverNetwork: a combinational network as BLIF states it, before mapping. Each node is a sum of products of any number of fan-ins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/bits.h"
#include "ir/lut_network.h"

namespace bitgrid {

/// One row of a cover: '0', '1' or '-' for each fan-in.
using CoverRow = std::string;

struct CoverNode {
  std::string name;
  std::vector<SignalId> fanins;  // smaller than the node's own signal; a signal may appear twice
  std::vector<CoverRow> rows;
  bool complemented = false;  // the rows are the off-set (BLIF's output column 0); no rows: constant 0, or 1 if complemented
  bool operator==(const CoverNode&) const = default;
};

/// Signals are numbered as in LutNetwork: inputs, then nodes in topological order.
struct CoverNetwork {
  std::string name;
  std::vector<std::string> inputs;
  std::vector<CoverNode> nodes;
  struct Output {
    std::string name;
    SignalId signal = 0;
    bool operator==(const Output&) const = default;
  };
  std::vector<Output> outputs;

  SignalId signal_of_node(size_t node) const { return static_cast<SignalId>(inputs.size() + node); }
  bool operator==(const CoverNetwork&) const = default;
};

/// inputs.cols == network.inputs.size(); returns rows x outputs. Throws Error if the number of columns is wrong.
BitMatrix evaluate(const CoverNetwork& network, const BitMatrix& inputs);

/// Throws Error if ids, order or rows are wrong.
void verify(const CoverNetwork& network);

/// Returns the network as BLIF. If parse_blif made the network, it reads the same network back. An output has either the name of its signal
/// or a name that no signal has; in that case it gets a buffer.
std::string to_blif(const CoverNetwork& network);

}  // namespace bitgrid
