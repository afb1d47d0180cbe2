#include "report/picture_areas.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/svg.h"

namespace bitgrid::report {
namespace {

struct Area {
  int x, y, width, height;
};

/// The larger of two rectangles of one paint from (x, y) on: as wide as possible, then down, or as tall as possible, then right.
Area largest_area(const PaintGrid& g, const std::vector<uint8_t>& done, int x, int y) {
  const auto at = [&](int cx, int cy) { return static_cast<size_t>(cy) * static_cast<size_t>(g.width) + static_cast<size_t>(cx); };
  const uint8_t paint = g.paint[at(x, y)];
  const auto free = [&](int cx, int cy) { return cx < g.width && cy < g.height && !done[at(cx, cy)] && g.paint[at(cx, cy)] == paint; };
  int wide = 1, tall = 1;
  while (free(x + wide, y)) ++wide;
  while (free(x, y + tall)) ++tall;
  const auto row_free = [&](int cy) {
    for (int i = 0; i < wide; ++i) {
      if (!free(x + i, cy)) return false;
    }
    return true;
  };
  const auto column_free = [&](int cx) {
    for (int i = 0; i < tall; ++i) {
      if (!free(cx, y + i)) return false;
    }
    return true;
  };
  int wide_height = 1, tall_width = 1;
  while (row_free(y + wide_height)) ++wide_height;
  while (column_free(x + tall_width)) ++tall_width;
  if (wide * wide_height >= tall * tall_width) return {x, y, wide, wide_height};
  return {x, y, tall_width, tall};
}

}  // namespace

const std::vector<Paint>& paints() {
  static const std::vector<Paint> table = {
      {"#f4f5f7", "idle"},
      {"#dfe4ea", "wires only"},
      {"#f8dfa8", "logic"},
      {"#a9d6b4", "add"},
      {"#eeb3ad", "subtract"},
      {"#c3b3e6", "resident bit"},
      {"#eceef1", "wires: undriven"},
      {"#dfe4ea", "wires: sums"},
      {"#faf3d7", "wires: constants"},
      {"#c4dbf2", "wires: inputs"},
      {"#c9e5b0", "wires: results"},
  };
  return table;
}

std::vector<uint8_t> cell_paints(const CellRoles& cells, bool wire_signals) {
  std::vector<uint8_t> paint;
  for (size_t i = 0; i < cells.roles.size(); ++i) {
    paint.push_back(static_cast<uint8_t>(cells.roles[i]));
    if (!wire_signals || cells.roles[i] != CellRole::kWire) continue;
    Signal most = Signal::kNone;  // of several signals the one that a reader looks for
    for (const Signal s : cells.signals[i]) most = std::max(most, s);
    paint.back() = static_cast<uint8_t>(kWirePaint + static_cast<size_t>(most));
  }
  return paint;
}

PaintGrid coarsen(const CellRoles& cells, const std::vector<uint8_t>& paint, int block) {
  PaintGrid g{(cells.width + block - 1) / block, (cells.height + block - 1) / block, block, {}};
  std::vector<int> count(paints().size());
  for (int by = 0; by < g.height; ++by) {
    for (int bx = 0; bx < g.width; ++bx) {
      std::fill(count.begin(), count.end(), 0);
      for (int y = by * block; y < std::min(cells.height, (by + 1) * block); ++y) {
        for (int x = bx * block; x < std::min(cells.width, (bx + 1) * block); ++x) ++count[paint[cells.index(x, y)]];
      }
      const auto most = std::max_element(count.begin() + 1, count.end());
      const int busy = static_cast<int>(std::count_if(count.begin() + 1, count.end(), [](int n) { return n > 0; }));
      g.paint.push_back(busy == 0 || *most < count[0] ? uint8_t{0} : static_cast<uint8_t>(most - count.begin()));
    }
  }
  return g;
}

std::string area_paths(const PaintGrid& grid, int pixels, int x, int y) {
  std::vector<SvgPath> paths(paints().size());
  std::vector<uint8_t> done(grid.paint.size());
  for (int cy = 0; cy < grid.height; ++cy) {
    for (int cx = 0; cx < grid.width; ++cx) {
      const size_t at = static_cast<size_t>(cy) * static_cast<size_t>(grid.width) + static_cast<size_t>(cx);
      if (done[at] || grid.paint[at] == 0) continue;
      const Area a = largest_area(grid, done, cx, cy);
      for (int row = a.y; row < a.y + a.height; ++row) {
        const auto first = done.begin() + static_cast<std::ptrdiff_t>(row) * grid.width + a.x;
        std::fill(first, first + a.width, uint8_t{1});
      }
      paths[grid.paint[at]].rectangle(x + a.x * pixels, y + a.y * pixels, a.width * pixels, a.height * pixels);
    }
  }
  std::string out;
  for (size_t p = 0; p < paths.size(); ++p) {
    if (!paths[p].empty()) out += fmt::format("<path fill=\"{}\" d=\"{}\"/>\n", paints()[p].colour, paths[p].d());
  }
  return out;
}

}  // namespace bitgrid::report
