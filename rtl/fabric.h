// The fabric in Verilog: its modules, and a grid of a given size with the protocol of its configuration chains.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/grid_config.h"
#include "rtl/interface.h"
#include "rtl/verilator.h"

namespace bitgrid::rtl {

struct FabricShape {
  int width = 8;
  int height = 8;
  int chain_bits = 1;  // bits of a column's configuration chain that are shifted per clock: 1, 2, 4 ... 64
  bool operator==(const FabricShape&) const = default;
};

/// Throws Error if a side is less than 1 or chain_bits does not divide 64.
void verify(const FabricShape& shape);

struct VerilogFile {
  std::string name;  // "bitgrid_cell.v"
  std::string text;
};

/// Returns the modules that bitgrid_grid needs, as in rtl/fabric/: bitgrid_cell, bitgrid_cell_latch, bitgrid_grid. With `vector` it adds
/// bitgrid_grid_vector, the form for simulation.
std::vector<VerilogFile> fabric_files(bool vector);

/// A grid of that size as a module for build_rtl: bitgrid_grid_vector with the ports of RtlInterface. in_valid is `run`, and out_valid is
/// the phase. Inputs: i_load, i_config, i_n, i_e, i_s, i_w. Outputs: o_config, o_n, o_e, o_s, o_w. With `cells` it contains bitgrid_grid
/// instead, with an instance per cell; with `latches` the words of that grid are in latches.
struct FabricForm {
  bool cells = false;
  bool latches = false;
};
RtlSource fabric_source(const FabricShape& shape, const FabricForm& form = {});

/// Returns the clocks that it takes to fill the columns.
inline uint64_t load_clocks(const FabricShape& shape) {
  return 64u / static_cast<unsigned>(shape.chain_bits) * static_cast<uint64_t>(shape.height);
}

/// Returns what config_in carries in clock `clock` of a load, for column x: chain_bits bits.
uint64_t chain_group(const GridConfig& grid, const FabricShape& shape, int x, uint64_t clock);

}  // namespace bitgrid::rtl
