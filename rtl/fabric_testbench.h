// A self-checking Verilog testbench of a mapped kernel on the fabric, for any simulator. Chain contents, border bits and expected bits are
// files for $readmemh.
#pragma once

#include <string>
#include <vector>

#include "ir/bits.h"
#include "ir/mapped_kernel.h"
#include "rtl/fabric.h"

namespace bitgrid::rtl {

struct FabricTestbenchStats {
  uint64_t load_clocks = 0;
  uint64_t phases = 0;
  uint64_t compared = 0;  // output bits
};

/// Returns files STEM_tb.v, STEM_chain.hex, STEM_in.hex, STEM_out.hex and STEM_care.hex. Module bitgrid_tb loads the configuration through
/// 1-bit chains, runs the invocations (rows of `inputs`) back to back, and compares each output bit with `expected` in its phase. It ends
/// with "PASS ..." or "FAIL: ...". It contains bitgrid_grid, or bitgrid_grid_vector if VECTOR is defined. Resident bits are those of row 0.
/// Throws Error if the kernel or the matrices are wrong, or if rows differ in resident bits.
std::vector<VerilogFile> fabric_testbench(const MappedKernel& kernel, const std::string& stem, const BitMatrix& inputs,
                                          const BitMatrix& expected, FabricTestbenchStats* stats = nullptr);

/// Returns what config_in carries in each clock of a load, as lines for $readmemh: chain_bits * width bits, with bit c of column x at c *
/// width + x.
std::string chain_hex(const GridConfig& grid, const FabricShape& shape);

}  // namespace bitgrid::rtl
