#include "lowering/defects/avoid.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/kernel_defects.h"
#include "lowering/defects/systolic_around.h"

namespace bitgrid {

MappedKernel avoid_defects(const MappedKernel& mapped, const SystolicForm& serial, const Defects& defects) {
  if (!first_defect_used(mapped, defects)) return mapped;
  return map_systolic_around(mapped.name, serial, mapped.input_bits, defects);
}

void require_sound(const MappedKernel& mapped, const Defects& defects) {
  const auto used = first_defect_used(mapped, defects);
  if (!used) return;
  const bool part = mapped.strategy == "parallel" || mapped.strategy == "interleaved";
  throw Error("kernel " + mapped.name,
              fmt::format("strategy {} lays {} x {} cells as a whole, and output {} of cell ({}, {}) is bad", mapped.strategy,
                          mapped.grid.width, mapped.grid.height, letter(used->side), used->x, used->y),
              mapped.strategy == "netlist" ? "try another --seed, or a tile that is good there"
              : part                       ? "lower the layer with these defects, so that its parts are word-serial"
                                           : "use --mode settle, where cells can stand elsewhere, or a tile that is good there");
}

}  // namespace bitgrid
