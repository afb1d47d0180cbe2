// Area and speed of Verilog from real tools: Yosys for gates, flip-flops and iCE40 LUTs, nextpnr-ice40 for a clock rate.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rtl/fabric.h"
#include "rtl/standard_cells.h"
#include "rtl/verilator.h"

namespace bitgrid::rtl {

struct SynthTarget {
  std::string name;
  std::vector<VerilogFile> files;
  std::string top;
  std::map<std::string, int> parameters;   // of the top module
  std::optional<VerilogFile> placed = {};  // replaces `top` in placement: a module `bitgrid_placed` around it
};

/// Returns one cell, or a grid of cells, with the words in flip-flops or in latches.
SynthTarget cell_target(bool latches);
SynthTarget grid_target(const FabricShape& shape, bool latches);

/// Returns a kernel's datapath. For placement, all its ports become registers of two shift chains, one in and one out, because it may have
/// more ports than a package has pins. Every path through it then lies between registers.
SynthTarget datapath_target(const RtlSource& source);

struct SynthParams {
  std::string yosys = "yosys";
  std::string nextpnr = "nextpnr-ice40";
  bool ice40 = true;          // false: only generic gates
  bool place = true;          // with ice40: place and route on an HX8K
  StandardCells cells;        // for area_um2; empty: none
  int timeout_seconds = 300;  // of each program
};

struct SynthResult {
  std::string name;
  std::map<std::string, uint64_t> cells;  // generic, by Yosys type, after `synth; abc -g gates`
  uint64_t gates = 0;                     // combinational ones among them: two-input gates and inverters
  uint64_t levels = 0;                    // gates on the longest path between registers or pins
  uint64_t flip_flops = 0, latches = 0;
  std::map<std::string, uint64_t> mapped;  // mapped onto the standard cells, by kind
  std::optional<double> area_um2;          // their sum, without wires and rows
  std::optional<uint64_t> lut4s, ice40_flip_flops;
  std::optional<double> fmax_mhz;  // between registers; paths from and to pins are not timed
  std::string not_placed;          // why there is no fmax_mhz
  std::string problem;             // why there are no figures: Yosys took too long
  double seconds = 0;
};

/// Throws Error if Yosys cannot be run or does not accept the Verilog. `problem` says what takes longer than the timeout, and `not_placed`
/// what nextpnr cannot do.
SynthResult synthesize(const SynthTarget& target, const SynthParams& params = {});

}  // namespace bitgrid::rtl
