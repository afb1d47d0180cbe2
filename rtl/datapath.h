// Makes one pipelined Verilog module per kernel from its Dag.
#pragma once

#include <cstdint>
#include <string>

#include "ir/dag.h"
#include "rtl/interface.h"

namespace bitgrid::rtl {

struct DatapathParams {
  /// Logic levels (logic_levels of ir/dag.h) between two registers. An operation with more levels gets its own stage.
  uint32_t levels_per_stage = 8;
};

struct DatapathStats {
  RtlInterface interface;
  uint32_t latency_cycles = 0;  // = pipeline stages
  uint64_t register_bits = 0;   // without the valid bits
  uint32_t nodes = 0;           // of the Dag that reach an output
};

/// Returns the module of a verified Dag, in Verilog 2005 that Verilator, Icarus Verilog and Yosys accept without a warning. Its ports are
/// those of rtl/interface.h, with one input bus i_NAME and one output bus o_NAME for each of the Dag's. It takes an invocation in every
/// clock. The text begins with interface_comment(). `resident` inputs are ordinary inputs. Throws Error if levels_per_stage is 0.
std::string datapath_verilog(const Dag& dag, const DatapathParams& params = {}, DatapathStats* stats = nullptr);

}  // namespace bitgrid::rtl
