// Settle mode: the smallest of what fits.
#pragma once

#include <optional>
#include <vector>

#include "ir/mapped_kernel.h"
#include "lowering/map.h"

namespace bitgrid {

/// Cells that a placed netlist of so many LUT4s hardly gets below, at any effort: as many a LUT4 as its cube root, since wires get longer
/// (docs/performance.md; the densest measured is 1.05 times that).
double least_netlist_cells(size_t luts);

/// Few cells: a regular array (map_regular) if the logic is one, else a two-way plane of a table of at most params.plane_inputs input bits,
/// or the placed netlist if that is smaller; it is not made where it cannot be. Planes that rely on a defect are left out. Throws what
/// map_netlist throws.
MappedKernel map_settle(const Kernel& kernel, const MapParams& params, KernelReport* report = nullptr);

}  // namespace bitgrid
