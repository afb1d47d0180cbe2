// Shows where a routing is full: a heat map as a self-contained SVG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitgrid::report {

/// Nets on every edge of a region, as routing left them. Edge 4 * cell + side (N, E, S, W = 0..3) is a cell's output on that side, with
/// cells row by row. If given, the border inputs follow: N, E, S, W, each side from west to east or north to south.
struct Congestion {
  int width = 0;
  int height = 0;
  std::vector<uint16_t> users;  // 4 * width * height, or 2 * (width + height) more
};

/// Returns the number of nets beyond the first, summed over the edges.
int64_t overuse(const Congestion& congestion);

/// Cells are shaded by how many of their four outputs are used. Edges that several nets want are red bars across the cell border, thicker
/// for more nets. Large regions are drawn with smaller cells. Equal input gives equal bytes. Throws Error if the number of edges does not
/// match the size.
std::string congestion_svg(const Congestion& congestion, const std::string& title);

}  // namespace bitgrid::report
