// Times of a routed netlist in settle mode.
#pragma once

#include <cstdint>
#include <vector>

#include "lowering/netlist/layout.h"
#include "lowering/netlist/packing.h"

namespace bitgrid {

/// Phases relative to the invocation: when each input bit enters and each output bit is sampled.
struct SettleTiming {
  int ii = 1;
  std::vector<int> input_phase;   // one for each input
  std::vector<int> output_phase;  // one for each output
};

/// A cell latches a function of what was at the inputs some hops ago; all ways have their own length. Output o is right in phase s if for
/// every input i that reaches it in `shortest` to `longest` hops, p_i + longest <= s < p_i + shortest + 2 ii. Inputs may be skewed: these
/// are difference constraints on p and s, and the smallest ii (then the smallest latency) for which they have a solution is found by
/// bisection. Without `skew` all inputs enter in the first phase of their border cell.
SettleTiming settle_timing(const PackedNetlist& netlist, const NetlistLayout& layout, bool skew = true);

}  // namespace bitgrid
