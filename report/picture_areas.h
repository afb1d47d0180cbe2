// The coloured areas of a floorplan: cells with the same paint are merged into rectangles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/cell_roles.h"

namespace bitgrid::report {

/// A colour with its meaning, which is an entry of the legend.
struct Paint {
  const char* colour;
  const char* label;
};

/// Returns paints by index: the roles of CellRole, then wires by signal (kWirePaint + Signal), which overviews use.
const std::vector<Paint>& paints();
inline constexpr size_t kWirePaint = kCellRoles;

/// Returns the paint of each cell. "wire_signals" distinguishes input, constant and output wires (overview); otherwise all are wires.
std::vector<uint8_t> cell_paints(const CellRoles& cells, bool wire_signals);

/// Blocks of block x block cells, each with the paint of most of its cells.
struct PaintGrid {
  int width = 0;
  int height = 0;
  int block = 1;
  std::vector<uint8_t> paint;  // row by row
};
PaintGrid coarsen(const CellRoles& cells, const std::vector<uint8_t>& paint, int block);

/// Returns SVG paths of all paints but the idle one, at `pixels` per block, with the top left corner at (x, y).
std::string area_paths(const PaintGrid& grid, int pixels, int x, int y);

}  // namespace bitgrid::report
