// Extracts the logic that a grid configuration computes, from nothing but the cells and the times of the ports. Proofs use it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ir/lut_network.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::check {

struct ExtractParams {
  bool loops = true;               // false: return no network if there are loops
  size_t max_values = 20'000'000;  // latched bits (cell output, phase) to follow before it gives up
};

struct ExtractStats {
  size_t edges = 0;   // cell outputs that output bits depend on
  size_t values = 0;  // cell outputs and phases that are followed one by one
  size_t foreign = 0;
  double seconds = 0;
};

struct Extracted {
  /// Inputs "i0", "i1" ... are the kernel's input bits, including resident ones. After them there is one "f0", "f1" ... for each bit of
  /// another invocation that an output could depend on. Outputs "o0", "o1" ... are the kernel's output bits.
  LutNetwork network;
  size_t foreign = 0;  // inputs of other invocations
  /// There are loops (carries), so that values depend on the whole past. The network is then that of the first invocation after the start,
  /// with nothing before it. Without loops it is that of every invocation, whatever comes before and after.
  bool first_only = false;
};

/// Follows every output bit back through the latches in time, to the input slots: cell output (x, y, side) in phase p is its LUT of the
/// neighbours' outputs in phase p - 1. Outputs that are held while they matter (settle mode) or are read in only one phase (wave mode) are
/// followed once per cell output, and the rest once per phase. Constant streams and undriven ports are constants. Throws Error if
/// max_values is exceeded. The kernel must be verified.
Extracted extract_logic(const MappedKernel& kernel, const ExtractParams& params = {}, ExtractStats* stats = nullptr);

}  // namespace bitgrid::check
