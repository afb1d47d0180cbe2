// The logic that a grid configuration computes: extracted from the cells and the times of the ports alone, for proofs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ir/lut_network.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::check {

struct ExtractParams {
  bool loops = true;               // false: where there are loops, give back no network
  size_t max_values = 20'000'000;  // latched bits (cell output, phase) to follow before giving up
};

struct ExtractStats {
  size_t edges = 0;   // cell outputs that output bits depend on
  size_t values = 0;  // of them and their phases, those followed one by one
  size_t foreign = 0;
  double seconds = 0;
};

struct Extracted {
  /// Inputs "i0", "i1" ...: the kernel's input bits, resident ones included; then one "f0", "f1" ... for each bit of another invocation
  /// that an output could depend on. Outputs "o0", "o1" ... are the kernel's output bits.
  LutNetwork network;
  size_t foreign = 0;  // inputs of other invocations
  /// There are loops (carries), so that values depend on all of the past: the network is that of the first invocation after the start, with
  /// nothing before it. Without loops it is that of every invocation, whatever comes before and after.
  bool first_only = false;
};

/// Follows every output bit back through the latches in time, to the input slots: cell output (x, y, side) in phase p is its LUT of the
/// neighbours' outputs in phase p - 1. What is held while it matters (settle mode) or is read in one phase only (wave mode) is followed
/// once for each cell output, the rest once for each phase. Constant streams and undriven ports are constants.
/// Throws Error if max_values is exceeded. Needs a verified kernel.
Extracted extract_logic(const MappedKernel& kernel, const ExtractParams& params = {}, ExtractStats* stats = nullptr);

}  // namespace bitgrid::check
