#include "lowering/mapping/canvas.h"

#include <cassert>
#include <cstdlib>
#include <set>
#include <tuple>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

struct DelaySearch {
  const Layout& layout;
  int to_x, to_y;
  Side leave;
  Box box;
  long budget;
  std::set<std::tuple<int, int, Side>> used;
  std::string path;

  bool taken(int x, int y, Side d) const { return !layout.is_free(x, y, d) || used.contains({x, y, d}); }

  bool go(int x, int y, int left) {
    if (--budget < 0) return false;
    if (left == 1) {
      if (x != to_x || y != to_y || taken(x, y, leave)) return false;
      path += letter(leave);
      return true;
    }
    for (const Side d : {Side::N, Side::W, Side::E, Side::S}) {
      const int xx = x + dx(d), yy = y + dy(d);
      if (xx < box.x0 || xx > box.x1 || yy < box.y0 || yy > box.y1 || taken(x, y, d)) continue;
      if ((x == to_x && y == to_y && d == leave) || std::abs(xx - to_x) + std::abs(yy - to_y) > left - 2) continue;
      used.insert({x, y, d});
      path += letter(d);
      if (go(xx, yy, left - 1)) return true;
      path.pop_back();
      used.erase({x, y, d});
    }
    return false;
  }
};

}  // namespace

Side side_of(char move) {
  for (const Side s : kSides) {
    if (letter(s) == move) return s;
  }
  assert(false && "a move is one of N, E, S, W");
  return Side::N;
}

Layout::Layout(int width, int height) : width_(width), height_(height), cells_(index_of(width) * index_of(height)) {
  assert(width > 0 && height > 0);
}

bool Layout::is_free(int x, int y, Side side) const {
  assert(x >= 0 && x < width_ && y >= 0 && y < height_);
  return ((cell(x, y).taken >> index_of(side)) & 1u) == 0;
}

void Layout::put(int x, int y, Side side, Lut table) {
  assert(is_free(x, y, side) && "an edge of the grid carries one signal");
  Cell& c = cell(x, y);
  c.luts[index_of(side)] = table;
  c.taken = static_cast<uint8_t>(c.taken | (1u << index_of(side)));
}

void Layout::wire(int x, int y, Side enter, std::string_view moves) {
  for (const char move : moves) {
    const Side d = side_of(move);
    put(x, y, d, kCopy[index_of(enter)]);
    x += dx(d);
    y += dy(d);
    enter = opposite(d);
  }
}

void Layout::wire(int x, int y, Side enter, Side direction, int count) {
  wire(x, y, enter, std::string(index_of(count), letter(direction)));
}

void Layout::place(const Layout& piece, int x, int y) {
  for (int py = 0; py < piece.height(); ++py) {
    for (int px = 0; px < piece.width(); ++px) {
      const Cell& from = piece.cell(px, py);
      for (const Side s : kSides) {
        if ((from.taken >> index_of(s)) & 1u) put(x + px, y + py, s, from.luts[index_of(s)]);
      }
    }
  }
}

GridConfig Layout::config() const {
  GridConfig grid(width_, height_);
  for (size_t i = 0; i < cells_.size(); ++i) grid.cells[i] = cell_word(cells_[i].luts);
  return grid;
}

std::optional<std::string> find_delay_path(const Layout& layout, int x, int y, int to_x, int to_y, Side leave, int hops, const Box& box,
                                           long budget) {
  DelaySearch search{layout, to_x, to_y, leave, box, budget, {}, {}};
  if (!search.go(x, y, hops)) return std::nullopt;
  return search.path;
}

}  // namespace bitgrid::mapping
