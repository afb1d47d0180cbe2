#include "lowering/mapping/normalise_phases.h"

#include <algorithm>

namespace bitgrid::mapping {

void normalise_phases(MappedKernel& kernel) {
  int first = 0;
  for (size_t i = 0; i < kernel.inputs.size(); ++i)
    first = i == 0 ? kernel.inputs[i].slot.phase : std::min(first, kernel.inputs[i].slot.phase);
  const int by = first >= 0 ? -(first & ~1) : (-first + 1) & ~1;
  for (InputSlot& in : kernel.inputs) in.slot.phase += by;
  for (BitSlot& out : kernel.outputs) out.phase += by;
  const int period = 2 * kernel.ii;
  for (ConstantStream& c : kernel.constants) c.slot.phase = ((c.slot.phase + by) % period + period) % period;
}

}  // namespace bitgrid::mapping
