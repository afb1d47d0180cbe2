// Layout: a piece of grid under construction, one output edge at a time. Stamps are layouts with timed ports, which are placed into larger
// layouts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/grid_config.h"
#include "ir/index.h"

namespace bitgrid::mapping {

/// Returns the side of the letter N, E, S or W.
Side side_of(char letter);

/// Returns the truth table of f(n, e, s, w), which yields a bool or the integer 0 or 1.
template <typename F>
constexpr Lut lut(F f) {
  unsigned table = 0;
  for (unsigned i = 0; i < 16; ++i) {
    const bool n = i & 1u, e = i & 2u, s = i & 4u, w = i & 8u;
    if (f(n, e, s, w)) table |= 1u << i;
  }
  return static_cast<Lut>(table);
}

constexpr bool majority(bool a, bool b, bool c) {
  return (a && b) || (a && c) || (b && c);
}

/// Each output edge of each cell is free or carries one truth table. Laying an edge twice violates an invariant (assert in put).
class Layout {
 public:
  Layout(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }

  bool is_free(int x, int y, Side side) const;
  /// Sets output `side` of cell (x, y) to `table`.
  void put(int x, int y, Side side, Lut table);
  /// Lays a plain path: it enters cell (x, y) through side `enter` and leaves along each of `moves` ("SSE").
  void wire(int x, int y, Side enter, std::string_view moves);
  /// The same, `count` moves in one direction.
  void wire(int x, int y, Side enter, Side direction, int count);
  /// Copies every laid edge of `piece`, moved by an offset.
  void place(const Layout& piece, int x, int y);

  GridConfig config() const;

 private:
  struct Cell {
    std::array<Lut, 4> luts{};
    uint8_t taken = 0;
  };
  Cell& cell(int x, int y) { return cells_[index_of(y) * index_of(width_) + index_of(x)]; }
  const Cell& cell(int x, int y) const { return cells_[index_of(y) * index_of(width_) + index_of(x)]; }

  int width_;
  int height_;
  std::vector<Cell> cells_;
};

/// A rectangle of cells, including its corners.
struct Box {
  int x0, y0, x1, y1;
};

/// Finds a path of exactly `hops` free edges inside `box`, from cell (x, y) to cell (to_x, to_y), leaving it through `leave`. Returns its
/// moves, or nullopt if there is no such path. It searches depth first with the distance as bound, which suits boxes of a few dozen cells.
/// `budget` limits the steps of the search.
std::optional<std::string> find_delay_path(const Layout& layout, int x, int y, int to_x, int to_y, Side leave, int hops, const Box& box,
                                           long budget = 2'000'000);

}  // namespace bitgrid::mapping
