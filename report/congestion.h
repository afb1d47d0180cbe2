// Where a routing is full: a heat map as a self-contained SVG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitgrid::report {

/// Nets on every edge of a region, as routing left them. Edge 4 * cell + side (N, E, S, W = 0..3) is a cell's output on that side, cells
/// row by row; then, if given, the border inputs: N, E, S, W, each side from west to east or north to south.
struct Congestion {
  int width = 0;
  int height = 0;
  std::vector<uint16_t> users;  // 4 * width * height, or 2 * (width + height) more
};

/// Nets beyond the first, summed over the edges.
int64_t overuse(const Congestion& congestion);

/// Cells shaded by how many of their four outputs are used; edges that several nets want as red bars across the cell border, thicker the
/// more nets want them. Large regions are drawn with smaller cells. Equal input gives equal bytes. Throws Error if the number of edges does
/// not fit the size.
std::string congestion_svg(const Congestion& congestion, const std::string& title);

}  // namespace bitgrid::report
