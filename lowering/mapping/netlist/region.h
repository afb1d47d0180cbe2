// Places on and around the grid: cells, directed edges, border ports.
#pragma once

#include <cstdint>

#include "ir/grid_config.h"
#include "ir/index.h"

namespace bitgrid::mapping {

/// Cells are numbered row by row. Edge 4 * cell + side is the latched output of that cell on that side. Ports 0 .. 2W + 2H - 1 are in the
/// order N, E, S, W. Edges from 4 * cells on are the border inputs: 4 * cells + port.
struct Region {
  int width = 0;
  int height = 0;

  bool operator==(const Region&) const = default;

  uint32_t cells() const { return id_of(width) * id_of(height); }
  uint32_t ports() const { return 2u * id_of(width + height); }
  uint32_t edges() const { return 4 * cells() + ports(); }
  uint32_t cell(int x, int y) const { return id_of(y * width + x); }
  int x(uint32_t cell) const { return int_of(cell) % width; }
  int y(uint32_t cell) const { return int_of(cell) / width; }

  /// Logic stays off the border, where cells have fewer than four neighbours. That ring is for ports and wires.
  bool is_inner(int x, int y) const { return x > 0 && y > 0 && x < width - 1 && y < height - 1; }
  bool is_inner(uint32_t cell) const { return is_inner(x(cell), y(cell)); }

  Side port_side(uint32_t port) const {
    const auto w = id_of(width), h = id_of(height);
    return port < w ? Side::N : port < w + h ? Side::E : port < 2 * w + h ? Side::S : Side::W;
  }
  int port_position(uint32_t port) const {
    const int p = int_of(port);
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
  uint32_t port_at(Side side, int position) const {
    const int first = side == Side::N ? 0 : side == Side::E ? width : side == Side::S ? width + height : 2 * width + height;
    return id_of(first + position);
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
  uint32_t out_edge(uint32_t port) const { return 4 * port_cell(port) + id_of(port_side(port)); }
};

/// Returns the side of the cell whose output the edge is. Not for border inputs.
constexpr Side edge_side(uint32_t edge) {
  return static_cast<Side>(edge % 4);
}

inline constexpr uint32_t kNowhere = ~uint32_t{0};

}  // namespace bitgrid::mapping
