// Floorplan of a mapped kernel as a self-contained SVG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "ir/mapped_kernel.h"

namespace bitgrid::report {

struct PictureParams {
  /// Up to this many cells, every signal is drawn (about 30 bytes per cell). Above, areas show what their cells do.
  int64_t detail_cells = 5'000;
  /// Limit of the file. A detailed drawing that is larger becomes areas, and areas are drawn in blocks of as many cells as needed.
  size_t max_bytes = 300'000;
};

/// Draws cells coloured by what they do, signals by what they carry, border ports with the bits that pass there, name, size and times, and
/// a legend. Signals keep to the right, so that two that cross a cell border in opposite directions each have a lane. Equal kernels and
/// parameters give equal bytes. The kernel must be verified.
std::string kernel_svg(const MappedKernel& kernel, const PictureParams& params = {});

}  // namespace bitgrid::report
