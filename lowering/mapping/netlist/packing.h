// Packing: LUTs that share inputs go into one cell (at most 4 distinct inputs, 4 functions); then the nets between cells and ports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/index.h"
#include "ir/lut_network.h"

namespace bitgrid::mapping {

struct PackedCell {
  std::vector<uint32_t> luts;    // node numbers of the LUT network
  std::vector<SignalId> fanins;  // distinct, ascending
};

/// A place that a net starts from or goes to. Blocks are numbered: cells, then input ports (one an input), then output ports (one an
/// output).
using BlockId = uint32_t;

struct Net {
  SignalId signal = kConstantSignal;  // kConstantSignal: a constant output
  BlockId driver = 0;                 // cell or input port; its own sink if the signal is constant
  std::vector<BlockId> sinks;         // cells and output ports, each once
};

struct PackedNetlist {
  const LutNetwork* network = nullptr;
  std::vector<PackedCell> cells;
  std::vector<Net> nets;

  size_t inputs() const { return network->inputs.size(); }
  size_t outputs() const { return network->outputs.size(); }
  size_t blocks() const { return cells.size() + inputs() + outputs(); }
  bool is_cell(BlockId b) const { return b < cells.size(); }
  bool is_input(BlockId b) const { return b >= cells.size() && b < cells.size() + inputs(); }
  bool is_output(BlockId b) const { return b >= cells.size() + inputs(); }
  uint32_t input_of(BlockId b) const { return id_of(b - cells.size()); }
  uint32_t output_of(BlockId b) const { return id_of(b - cells.size() - inputs()); }
};

struct PackingParams {
  size_t max_luts = 4;    // in a cell
  size_t min_shared = 2;  // inputs that LUTs must share to go into one cell (or all of the smaller one's)
};

/// Packs a simplified network (every node has 2 to 4 fan-ins), which must outlive the result. Greedy: the largest number of shared inputs
/// first.
PackedNetlist pack(const LutNetwork& network, const PackingParams& params = {});

/// A network whose LUTs are in these cells already, each in one.
PackedNetlist packed(const LutNetwork& network, std::vector<PackedCell> cells);

/// "LUT n12", "input a[3]", "output y": for messages.
std::string block_name(const PackedNetlist& netlist, BlockId block);

}  // namespace bitgrid::mapping
