#include "ir/mapped_kernel.h"

#include <algorithm>
#include <limits>

namespace bitgrid {

int latency_cycles(const MappedKernel& kernel) {
  int first = std::numeric_limits<int>::max(), last = std::numeric_limits<int>::min();
  for (const InputSlot& in : kernel.inputs) first = std::min(first, in.slot.phase);
  for (const BitSlot& out : kernel.outputs) last = std::max(last, out.phase);
  if (kernel.inputs.empty() || kernel.outputs.empty()) return 0;
  return (last - first + 2) / 2;
}

}  // namespace bitgrid
