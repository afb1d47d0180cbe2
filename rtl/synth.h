// Area and speed of Verilog by real tools: Yosys for gates, flip-flops and iCE40 LUTs, nextpnr-ice40 for a clock rate.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rtl/fabric.h"

namespace bitgrid {

struct SynthTarget {
  std::string name;
  std::vector<VerilogFile> files;
  std::string top;
  std::map<std::string, int> parameters;  // of the top module
};

/// One cell, and a grid of cells, with the words in flip-flops or in latches.
SynthTarget cell_target(bool latches);
SynthTarget grid_target(const FabricShape& shape, bool latches);

struct SynthParams {
  std::string yosys = "yosys";
  std::string nextpnr = "nextpnr-ice40";
  bool ice40 = true;          // false: generic gates only
  bool place = true;          // with ice40: place and route on an HX8K
  int timeout_seconds = 300;  // of each program
};

struct SynthResult {
  std::string name;
  std::map<std::string, uint64_t> cells;  // generic, by Yosys' type, after `synth; abc -g gates`
  uint64_t gates = 0;                     // of them, combinational, two inputs (or one, or a multiplexer)
  uint64_t flip_flops = 0, latches = 0;
  std::optional<uint64_t> lut4s, ice40_flip_flops;
  std::optional<double> fmax_mhz;
  std::string not_placed;  // why there is no fmax_mhz
  double seconds = 0;
};

/// Throws Error if Yosys cannot be run or does not accept the Verilog. What nextpnr cannot do is said in `not_placed`.
SynthResult synthesize(const SynthTarget& target, const SynthParams& params = {});

}  // namespace bitgrid
