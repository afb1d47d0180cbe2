#include "lowering/mapping/site_canvas.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

constexpr int kMostDetour = 24;  // columns or rows

template <typename F>
void for_edges(const FabricWire& wire, F f) {
  int x = wire.x, y = wire.y;
  for (const char move : wire.moves) {
    const Side s = side_of(move);
    f(FabricEdge{x, y, s});
    x += dx(s), y += dy(s);
  }
}

}  // namespace

void Fabric::mark_bad(const Defects& defects, int width, int height) {
  const Defects here = clip(defects, width, height);
  for (const BadCell& c : here.cells) {
    for (const Side s : kSides) use_[at(c.x, c.y, s)] |= kBad;
  }
  for (const BadEdge& e : here.edges) use_[at(e.x, e.y, e.side)] |= kBad;
}

void Fabric::take(const FabricWire& wire) {
  for_edges(wire, [&](const FabricEdge& e) { take(e); });
}

void Fabric::take(const Layout& piece, int x, int y) {
  for (int py = 0; py < piece.height(); ++py) {
    for (int px = 0; px < piece.width(); ++px) {
      for (const Side s : kSides) {
        if (!piece.is_free(px, py, s)) take(FabricEdge{x + px, y + py, s});
      }
    }
  }
}

void Fabric::begin_search() const {
  seen_.resize(use_.size());
  ++search_;
}

void Fabric::reserve_wire(const FabricWire& wire) {
  for_edges(wire, [&](const FabricEdge& e) { reserve(e); });
}

void Fabric::release_wire(const FabricWire& wire) {
  for_edges(wire, [&](const FabricEdge& e) { release(e); });
}

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
  std::vector<uint8_t> dead(index_of(w) * index_of(to.y - y + 1));
  const auto at = [&](int cx, int cy) -> uint8_t& { return dead[index_of(cy - y) * index_of(w) + index_of(cx - x)]; };
  FabricWire wire{x, y, enter, ""};
  int cx = x, cy = y;
  while (true) {
    if (cx == to.x && cy == to.y) {
      if (free(cx, cy, to.side)) {
        wire.moves += letter(to.side);
        return wire;
      }
    } else if (cx < to.x && free(cx, cy, Side::E) && good(cx + 1, cy) && !at(cx + 1, cy)) {
      wire.moves += 'E';
      ++cx;
      continue;
    } else if (cy < to.y && free(cx, cy, Side::S) && good(cx, cy + 1) && !at(cx, cy + 1)) {
      wire.moves += 'S';
      ++cy;
      continue;
    }
    at(cx, cy) = 1;
    if (wire.moves.empty()) return std::nullopt;
    (wire.moves.back() == 'S' ? cy : cx) -= 1;
    wire.moves.pop_back();
  }
}

std::optional<FabricWire> Fabric::lengthened(FabricWire wire, int hops, bool early) const {
  std::vector<std::pair<int, int>> cells;
  std::set<std::tuple<int, int, Side>> used;
  int x = wire.x, y = wire.y;
  for (const char move : wire.moves) {
    cells.emplace_back(x, y);
    used.insert({x, y, side_of(move)});
    x += dx(side_of(move)), y += dy(side_of(move));
  }
  const auto can_take = [&](int cx, int cy, Side s) { return free(cx, cy, s) && !used.contains({cx, cy, s}); };
  if (hops < 0) return std::nullopt;
  for (; hops > 0; hops -= 2) {
    bool found = false;
    for (const Side s : {Side::N, Side::S, Side::W, Side::E}) {
      for (size_t k = 0; k < cells.size() && !found; ++k) {
        const size_t i = early ? k : cells.size() - 1 - k;
        const auto [cx, cy] = cells[i];
        const int tx = cx + dx(s), ty = cy + dy(s);
        if (!can_take(cx, cy, s) || !inside(tx, ty) || !can_take(tx, ty, opposite(s))) continue;
        used.insert({cx, cy, s});
        used.insert({tx, ty, opposite(s)});
        const auto at_i = static_cast<std::ptrdiff_t>(i);
        cells.insert(cells.begin() + at_i + 1, {{tx, ty}, {cx, cy}});
        wire.moves.insert(i, {letter(s), letter(opposite(s))});
        found = true;
      }
    }
    if (!found) return std::nullopt;
  }
  return wire;
}

/// Breadth first from cell (x, y) back to a border port, over edges; each edge is used once. `last`: moves from (x, y) on.
std::optional<FabricWire> Fabric::search_back(int x, int y, std::string last) const {
  struct Visit {
    Place place;
    size_t next;  // visit of the cell after this one
    char move;    // into it
  };
  constexpr size_t kEnd = SIZE_MAX;
  std::vector<Visit> visits;
  begin_search();
  const auto add = [&](int cx, int cy, size_t next, char move) {
    for (const Side enter : kSides) {
      if (first_visit(cx, cy, enter)) visits.push_back({{cx, cy, enter}, next, move});
    }
  };
  if (!good(x, y)) return std::nullopt;
  add(x, y, kEnd, 0);
  for (size_t i = 0; i < visits.size(); ++i) {
    const auto [cx, cy, enter] = visits[i].place;
    const int fx = cx + dx(enter), fy = cy + dy(enter);
    if (!inside(fx, fy)) {
      if (!port_free(enter, enter == Side::N || enter == Side::S ? cx : cy)) continue;
      FabricWire wire{cx, cy, enter, ""};
      for (size_t v = i; visits[v].next != kEnd; v = visits[v].next) wire.moves += visits[v].move;
      wire.moves += last;
      return wire;
    }
    if (free(fx, fy, opposite(enter))) add(fx, fy, i, letter(opposite(enter)));
  }
  return std::nullopt;
}

std::optional<FabricWire> Fabric::find_from_border(const FabricEdge& to) const {
  if (!free(to.x, to.y, to.side)) return std::nullopt;
  return search_back(to.x, to.y, std::string(1, letter(to.side)));
}

std::optional<FabricWire> Fabric::find_feed(int x, int y, Side* last) const {
  auto wire = search_back(x, y, "");
  if (!wire) return wire;
  *last = wire->enter;
  for (const Side s : kSides) {
    if (!wire->moves.empty() && letter(s) == wire->moves.back()) *last = opposite(s);
  }
  return wire;
}

std::optional<FabricWire> Fabric::find_to_border(int x, int y, Side enter) const {
  return search_forth(x, y, enter, std::nullopt, 1 << 20);
}

std::optional<FabricWire> Fabric::find_between(int x, int y, Side enter, const FabricEdge& to, int most) const {
  return search_forth(x, y, enter, to, most);
}

/// Breadth first to an edge, or out of any border port.
std::optional<FabricWire> Fabric::search_forth(int x, int y, Side enter, const std::optional<FabricEdge>& to, int most) const {
  struct Visit {
    Place place;
    size_t from;
    char move;
    int hops;  // before it leaves the place
  };
  constexpr size_t kStart = SIZE_MAX;
  std::vector<Visit> visits = {{{x, y, enter}, kStart, 0, 0}};
  if (!good(x, y)) return std::nullopt;
  begin_search();
  first_visit(x, y, enter);
  // Wires between two places keep near to them: longer ones find no use.
  const auto near = [&](int tx, int ty) {
    return !to || (tx >= std::min(x, to->x) - kMostDetour && tx <= std::max(x, to->x) + kMostDetour &&
                   ty >= std::min(y, to->y) - kMostDetour && ty <= std::max(y, to->y) + kMostDetour);
  };
  for (size_t i = 0; i < visits.size(); ++i) {
    const Place p = visits[i].place;
    const int hops = visits[i].hops + 1;
    // Even the straight way on is too long.
    if (to && hops + std::abs(p.x - to->x) + std::abs(p.y - to->y) > most) continue;
    for (const Side d : kSides) {
      if (!free(p.x, p.y, d)) continue;
      const int tx = p.x + dx(d), ty = p.y + dy(d);
      if (to ? p.x == to->x && p.y == to->y && d == to->side : !inside(tx, ty)) {
        std::string moves(1, letter(d));
        for (size_t v = i; visits[v].from != kStart; v = visits[v].from) moves += visits[v].move;
        std::reverse(moves.begin(), moves.end());
        return FabricWire{x, y, enter, moves};
      }
      if (!good(tx, ty) || !near(tx, ty) || !first_visit(tx, ty, opposite(d))) continue;
      visits.push_back({{tx, ty, opposite(d)}, i, letter(d), hops});
    }
  }
  return std::nullopt;
}

BitSlot Fabric::take_port(const FabricWire& wire, int phase) {
  const int position = wire.enter == Side::N || wire.enter == Side::S ? wire.x : wire.y;
  ports_.insert({int_of(wire.enter), position});
  return {wire.enter, position, phase};
}

void Fabric::release_port(const FabricWire& wire) {
  ports_.erase({int_of(wire.enter), wire.enter == Side::N || wire.enter == Side::S ? wire.x : wire.y});
}

}  // namespace bitgrid::mapping
