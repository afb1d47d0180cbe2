// The signals of a floorplan as lines through its cells.
#pragma once

#include <array>
#include <string>

#include "report/cell_roles.h"

namespace bitgrid::report {

/// Colour and legend entry of a signal; kNone is not drawn.
struct SignalStyle {
  const char* colour;
  const char* label;
};
const std::array<SignalStyle, kSignals>& signal_styles();

struct Point {
  int x, y;
};

/// Returns where a signal that travels in direction `travel` crosses side `side` of cell (x, y), at `pixels` per cell. It is right of the
/// middle, so that opposite signals do not meet. Relative to the grid's top left corner.
Point crossing(int x, int y, Side side, Side travel, int pixels);

/// Draws lines, arrows and a node in each cell that computes, at `pixels` per cell, with the top left corner at (left, top).
std::string signal_paths(const CellRoles& cells, int pixels, int left, int top);

}  // namespace bitgrid::report
