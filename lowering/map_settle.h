// Settle mode: the smallest of what fits.
#pragma once

#include <optional>
#include <vector>

#include "ir/mapped_kernel.h"
#include "lowering/map.h"

namespace bitgrid {

/// Few cells: a regular array (map_regular) if the logic is one, else a two-way plane of a table of at most params.plane_inputs input bits,
/// or the placed netlist if that is smaller; it is not made where it hardly can be. Planes that rely on a defect are left out. Throws what
/// map_netlist throws.
MappedKernel map_settle(const Kernel& kernel, const MapParams& params, KernelReport* report = nullptr);

}  // namespace bitgrid
