// Places on the grid and around it: cells, directed edges, border ports.
#pragma once

#include <cstdint>

#include "ir/grid_config.h"

namespace bitgrid {

/// Cells are numbered row by row. An edge 4 * cell + side is the latched output of that cell on that side; a port 0 .. 2W + 2H - 1 goes N,
/// E, S, W. Edges from 4 * cells on are the border inputs: 4 * cells + port.
struct Region {
  int width = 0;
  int height = 0;

  uint32_t cells() const { return static_cast<uint32_t>(width) * static_cast<uint32_t>(height); }
  uint32_t ports() const { return 2u * static_cast<uint32_t>(width + height); }
  uint32_t edges() const { return 4 * cells() + ports(); }
  uint32_t cell(int x, int y) const { return static_cast<uint32_t>(y * width + x); }
  int x(uint32_t cell) const { return static_cast<int>(cell) % width; }
  int y(uint32_t cell) const { return static_cast<int>(cell) / width; }

  /// Logic stays off the border, where cells have fewer than four neighbours: that ring belongs to ports and wires.
  bool is_inner(uint32_t cell) const { return x(cell) > 0 && y(cell) > 0 && x(cell) < width - 1 && y(cell) < height - 1; }

  /// One inner cell in `spacing` may hold logic: every one (1), those of one colour (2), or one in 2 x 2 (4), 2 x 3 (6) or 3 x 3 (9).
  bool is_site(uint32_t cell, int spacing) const {
    if (!is_inner(cell)) return false;
    if (spacing <= 1) return true;
    if (spacing < 4) return (x(cell) + y(cell)) % 2 == 0;
    return x(cell) % (spacing >= 9 ? 3 : 2) == 1 && y(cell) % (spacing >= 6 ? 3 : 2) == 1;
  }
  uint32_t sites(int spacing) const {
    uint32_t count = 0;
    for (uint32_t c = 0; c < cells(); ++c) count += is_site(c, spacing);
    return count;
  }

  Side port_side(uint32_t port) const {
    const auto w = static_cast<uint32_t>(width), h = static_cast<uint32_t>(height);
    return port < w ? Side::N : port < w + h ? Side::E : port < 2 * w + h ? Side::S : Side::W;
  }
  int port_position(uint32_t port) const {
    const int p = static_cast<int>(port);
    switch (port_side(port)) {
      case Side::N:
        return p;
      case Side::E:
        return p - width;
      case Side::S:
        return p - width - height;
      case Side::W:
        return p - 2 * width - height;
    }
    return 0;
  }
  uint32_t port_cell(uint32_t port) const {
    const int position = port_position(port);
    switch (port_side(port)) {
      case Side::N:
        return cell(position, 0);
      case Side::E:
        return cell(width - 1, position);
      case Side::S:
        return cell(position, height - 1);
      case Side::W:
        return cell(0, position);
    }
    return 0;
  }
  uint32_t in_edge(uint32_t port) const { return 4 * cells() + port; }
  uint32_t out_edge(uint32_t port) const { return 4 * port_cell(port) + static_cast<uint32_t>(port_side(port)); }
};

inline constexpr uint32_t kNowhere = ~uint32_t{0};

}  // namespace bitgrid
