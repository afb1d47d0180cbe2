#include "lowering/defects/fabric.h"

#include <algorithm>
#include <deque>

namespace bitgrid {
namespace {

size_t number(Side s) {
  return static_cast<size_t>(s);
}

}  // namespace

bool Fabric::fits(const Layout& piece, int x, int y) const {
  for (int py = 0; py < piece.height(); ++py) {
    for (int px = 0; px < piece.width(); ++px) {
      for (const Side s : kSides) {
        if (!piece.is_free(px, py, s) && !free(x + px, y + py, s)) return false;
      }
    }
  }
  return true;
}

std::optional<FabricWire> Fabric::find_monotone(int x, int y, Side enter, const FabricEdge& to) const {
  if (x > to.x || y > to.y || !good(x, y)) return std::nullopt;
  const int w = to.x - x + 1;
  std::vector<uint8_t> dead(static_cast<size_t>(w) * static_cast<size_t>(to.y - y + 1));
  const auto at = [&](int cx, int cy) -> uint8_t& {
    return dead[static_cast<size_t>(cy - y) * static_cast<size_t>(w) + static_cast<size_t>(cx - x)];
  };
  FabricWire wire{x, y, enter, ""};
  int cx = x, cy = y;
  while (true) {
    if (cx == to.x && cy == to.y) {
      if (free(cx, cy, to.side)) {
        wire.moves += letter(to.side);
        return wire;
      }
    } else if (cy < to.y && free(cx, cy, Side::S) && good(cx, cy + 1) && !at(cx, cy + 1)) {
      wire.moves += 'S';
      ++cy;
      continue;
    } else if (cx < to.x && free(cx, cy, Side::E) && good(cx + 1, cy) && !at(cx + 1, cy)) {
      wire.moves += 'E';
      ++cx;
      continue;
    }
    at(cx, cy) = 1;
    if (wire.moves.empty()) return std::nullopt;
    (wire.moves.back() == 'S' ? cy : cx) -= 1;
    wire.moves.pop_back();
  }
}

/// Starts are cells that are entered through a side. Breadth first over edges; each edge and port is used once.
std::optional<FabricWire> Fabric::search(const std::vector<std::pair<FabricEdge, Side>>& starts, int to_x, int to_y,
                                         const FabricEdge* last_edge, bool to_border) const {
  // A state is a cell and the side through which it was entered.
  const auto state = [&](int x, int y, Side enter) {
    return (static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)) * 4 + number(enter);
  };
  constexpr size_t kNone = SIZE_MAX;
  struct Visit {
    int x, y;
    Side enter;
    size_t from;
    char move;
  };
  std::vector<uint8_t> seen(static_cast<size_t>(width_) * static_cast<size_t>(height_) * 4);
  std::vector<Visit> visits;
  for (const auto& [cell, enter] : starts) {
    visits.push_back({cell.x, cell.y, enter, kNone, 0});
    seen[state(cell.x, cell.y, enter)] = 1;
  }
  const auto wire_to = [&](size_t i, std::string tail) {
    for (; visits[i].from != kNone; i = visits[i].from) tail += visits[i].move;
    std::reverse(tail.begin(), tail.end());
    return FabricWire{visits[i].x, visits[i].y, visits[i].enter, tail};
  };
  for (size_t i = 0; i < visits.size(); ++i) {
    const Visit v = visits[i];
    if (!to_border && v.x == to_x && v.y == to_y) {
      if (!last_edge) return wire_to(i, "");
      if (free(v.x, v.y, last_edge->side)) return wire_to(i, std::string(1, letter(last_edge->side)));
    }
    for (const Side d : kSides) {
      if (!free(v.x, v.y, d)) continue;
      const int x = v.x + dx(d), y = v.y + dy(d);
      if (!inside(x, y)) {
        if (to_border) return wire_to(i, std::string(1, letter(d)));
        continue;
      }
      if (!good(x, y) || seen[state(x, y, opposite(d))]) continue;
      if (!to_border && last_edge && v.x == last_edge->x && v.y == last_edge->y && d == last_edge->side) continue;
      seen[state(x, y, opposite(d))] = 1;
      visits.push_back({x, y, opposite(d), i, letter(d)});
    }
  }
  return std::nullopt;
}

std::vector<std::pair<FabricEdge, Side>> Fabric::border_starts() const {
  std::vector<std::pair<FabricEdge, Side>> starts;
  const auto add = [&](int x, int y, Side side, int position) {
    if (good(x, y) && port_free(side, position)) starts.push_back({{x, y, side}, side});
  };
  for (int x = 0; x < width_; ++x) add(x, 0, Side::N, x), add(x, height_ - 1, Side::S, x);
  for (int y = 0; y < height_; ++y) add(0, y, Side::W, y), add(width_ - 1, y, Side::E, y);
  return starts;
}

std::optional<FabricWire> Fabric::find_from_border(const FabricEdge& to) const {
  if (!free(to.x, to.y, to.side)) return std::nullopt;
  return search(border_starts(), to.x, to.y, &to, false);
}

std::optional<FabricWire> Fabric::find_feed(int x, int y, Side* last) const {
  auto wire = search(border_starts(), x, y, nullptr, false);
  if (!wire) return wire;
  *last = wire->enter;
  for (const Side s : kSides) {
    if (!wire->moves.empty() && letter(s) == wire->moves.back()) *last = opposite(s);
  }
  return wire;
}

std::optional<FabricWire> Fabric::find_to_border(int x, int y, Side enter) const {
  return search({{{x, y, enter}, enter}}, 0, 0, nullptr, true);
}

BitSlot Fabric::take_port(const FabricWire& wire, int phase) {
  const int position = wire.enter == Side::N || wire.enter == Side::S ? wire.x : wire.y;
  ports_.insert({static_cast<int>(wire.enter), position});
  return {wire.enter, position, phase};
}

GridConfig Fabric::config() const {
  const GridConfig all = layout_.config();
  GridConfig grid(width_, height_);
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) grid.at(x, y) = all.at(x, y);
  }
  return grid;
}

}  // namespace bitgrid
