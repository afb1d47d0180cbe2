// Packing: LUTs that share inputs go into one cell (at most 4 distinct inputs, 4 functions). Then the nets between cells and ports follow.
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

/// A place where a net starts or ends. Blocks are numbered: cells, then input ports (one per input), then output ports (one per output).
using BlockId = uint32_t;

struct Net {
  SignalId signal = kConstantSignal;  // kConstantSignal: a constant output
  BlockId driver = 0;                 // cell or input port; for a constant signal, the net's own sink
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
  size_t min_shared = 2;  // inputs that LUTs must share to go into one cell (or all of the smaller LUT's)
};

/// Packs a simplified network (every node has 2 to 4 fan-ins), which must outlive the result. The packing is greedy: the most shared inputs
/// first.
PackedNetlist pack(const LutNetwork& network, const PackingParams& params = {});

/// Returns a network whose LUTs are already in these cells, each LUT in one cell.
PackedNetlist packed(const LutNetwork& network, std::vector<PackedCell> cells);

/// Returns "LUT n12", "input a[3]", "output y", for messages.
std::string block_name(const PackedNetlist& netlist, BlockId block);

}  // namespace bitgrid::mapping
