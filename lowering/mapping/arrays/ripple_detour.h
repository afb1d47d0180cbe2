// Rows of a ripple among bad cells.
#pragma once

#include <optional>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::mapping {

/// Lays the logic of `ripple`, a kernel of map_ripple, in as few rows and columns as possible so that it relies on no defect of the tile
/// whose north-west corner it takes; II = 1. Positions use columns of good cells, through which their inputs and outputs reach the border.
/// The state crosses the other columns in one of the rows. nullopt: the state finds no path within `most_rows`.
std::optional<MappedKernel> ripple_detour(const MappedKernel& ripple, const Defects& defects, int most_rows = 6);

}  // namespace bitgrid::mapping
