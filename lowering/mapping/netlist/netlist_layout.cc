#include "lowering/mapping/netlist/netlist_layout.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

// Old coordinates to new ones.
std::vector<int> shifted(const std::vector<int>& before, int size) {
  std::vector<int> at(index_of(size));
  int shift = 0;
  for (int i = 0; i < size; ++i) at[index_of(i)] = i + (shift += before[index_of(i)]);
  return at;
}

class Inserter {
 public:
  Inserter(const PackedNetlist& netlist, NetlistLayout& layout, const NewLines& lines)
      : netlist_(netlist),
        layout_(layout),
        old_(layout.placement.region),
        x_(shifted(lines.before_column, old_.width)),
        y_(shifted(lines.before_row, old_.height)),
        new_{x_.back() + 1, y_.back() + 1},
        last_(old_.edges()) {}

  std::vector<uint32_t> run() {
    for (BlockId b = 0; b < layout_.placement.at.size(); ++b) {
      uint32_t& at = layout_.placement.at[b];
      at = netlist_.is_cell(b) ? cell(at) : port(at);
    }
    std::vector<RouteHop> unused;
    for (uint32_t e = 0; e < old_.edges(); ++e) {
      unused.clear();
      add({e, kNowhere}, unused);
    }
    for (NetRoute& route : layout_.routes) {
      std::vector<RouteHop> hops;
      hops.reserve(route.hops.size());
      for (const RouteHop& h : route.hops) add(h, hops);
      route.hops = std::move(hops);
      for (uint32_t& a : route.arrivals)
        if (a != kNowhere) a = last_[a];
    }
    layout_.placement.region = new_;
    return std::move(last_);
  }

 private:
  uint32_t cell(uint32_t c) const { return new_.cell(x_[index_of(old_.x(c))], y_[index_of(old_.y(c))]); }
  uint32_t port(uint32_t p) const {
    const Side side = old_.port_side(p);
    const auto position = index_of(old_.port_position(p));
    return new_.port_at(side, side == Side::N || side == Side::S ? x_[position] : y_[position]);
  }

  // An edge becomes a straight line of edges.
  void add(const RouteHop& hop, std::vector<RouteHop>& hops) {
    uint32_t from = hop.from == kNowhere ? kNowhere : last_[hop.from];
    if (hop.edge >= 4 * old_.cells()) {
      last_[hop.edge] = new_.in_edge(port(hop.edge - 4 * old_.cells()));
      hops.push_back({last_[hop.edge], from});
      return;
    }
    const auto side = edge_side(hop.edge);
    const uint32_t tail = hop.edge / 4;
    const int head_x = old_.x(tail) + dx(side), head_y = old_.y(tail) + dy(side);
    int x = x_[index_of(old_.x(tail))], y = y_[index_of(old_.y(tail))];
    const bool leaves = head_x < 0 || head_y < 0 || head_x >= old_.width || head_y >= old_.height;
    const int to_x = leaves ? x + dx(side) : x_[index_of(head_x)], to_y = leaves ? y + dy(side) : y_[index_of(head_y)];
    for (; x != to_x || y != to_y; x += dx(side), y += dy(side)) {
      const uint32_t edge = 4 * new_.cell(x, y) + id_of(side);
      hops.push_back({edge, from});
      from = edge;
    }
    last_[hop.edge] = from;
  }

  const PackedNetlist& netlist_;
  NetlistLayout& layout_;
  const Region old_;
  const std::vector<int> x_, y_;
  const Region new_;
  std::vector<uint32_t> last_;  // the new edge that ends where an old one did
};

class Remover {
 public:
  Remover(const PackedNetlist& netlist, NetlistLayout& layout, bool column, int at)
      : netlist_(netlist),
        layout_(layout),
        column_(column),
        at_(at),
        old_(layout.placement.region),
        new_{old_.width - (column ? 1 : 0), old_.height - (column ? 0 : 1)},
        last_(old_.edges(), kNowhere) {}

  bool run() {
    if (!step_aside()) return false;
    for (uint32_t n = 0; n < layout_.routes.size(); ++n) contract(n);
    for (BlockId b = 0; b < layout_.placement.at.size(); ++b) {
      uint32_t& at = layout_.placement.at[b];
      at = netlist_.is_cell(b) ? cell(at) : port(at);
    }
    layout_.placement.region = new_;
    return true;
  }

 private:
  bool in_line(uint32_t cell) const { return (column_ ? old_.x(cell) : old_.y(cell)) == at_; }
  int moved(int v, bool x) const { return v - (x == column_ && v > at_ ? 1 : 0); }
  uint32_t cell(uint32_t c) const { return new_.cell(moved(old_.x(c), true), moved(old_.y(c), false)); }
  uint32_t port(uint32_t p) const {
    const Side side = old_.port_side(p);
    return new_.port_at(side, moved(old_.port_position(p), side == Side::N || side == Side::S));
  }
  bool across(Side s) const { return (s == Side::E || s == Side::W) == column_; }

  // Blocks in the line go to the nearest free place on either side; what they leave behind is open.
  bool step_aside() {
    const Placement before = layout_.placement;
    std::vector<uint8_t> cells(old_.cells()), ins(old_.ports()), outs(old_.ports());
    for (BlockId b = 0; b < netlist_.blocks(); ++b) (netlist_.is_cell(b) ? cells : netlist_.is_input(b) ? ins : outs)[before.at[b]] = 1;
    moved_block_.assign(netlist_.blocks(), 0);
    for (BlockId b = 0; b < netlist_.blocks(); ++b) {
      if (!in_line(before.cell_of(netlist_, b))) continue;
      if (!netlist_.is_cell(b) && across(old_.port_side(before.at[b]))) return false;  // the last line of that side
      const uint32_t to = netlist_.is_cell(b) ? free_cell(before.at[b], cells) : free_port(before.at[b], netlist_.is_input(b) ? ins : outs);
      if (to == kNowhere) {
        layout_.placement = before;
        return false;
      }
      (netlist_.is_cell(b) ? cells : netlist_.is_input(b) ? ins : outs)[to] = 1;
      layout_.placement.at[b] = to;
      moved_block_[b] = 1;
    }
    return true;
  }

  uint32_t free_cell(uint32_t from, const std::vector<uint8_t>& taken) const {
    uint32_t best = kNowhere;
    int nearest = 1 << 20;
    for (int oy = -3; oy <= 3; ++oy)
      for (int ox = -3; ox <= 3; ++ox) {
        const int x = old_.x(from) + ox, y = old_.y(from) + oy, far = std::abs(ox) + std::abs(oy);
        if (far >= nearest || !old_.is_inner(x, y) || (column_ ? x : y) == at_ || taken[old_.cell(x, y)]) continue;
        best = old_.cell(x, y);
        nearest = far;
      }
    return best;
  }

  uint32_t free_port(uint32_t from, const std::vector<uint8_t>& taken) const {
    const Side side = old_.port_side(from);
    const int size = side == Side::N || side == Side::S ? old_.width : old_.height;
    for (int far = 1; far < 4; ++far)
      for (const int p : {old_.port_position(from) - far, old_.port_position(from) + far})
        if (p >= 0 && p < size && !taken[old_.port_at(side, p)]) return old_.port_at(side, p);
    return kNowhere;
  }

  // Straight crossings lose an edge; everything else in the line, and all that hangs on it, goes.
  void contract(uint32_t n) {
    const Net& net = netlist_.nets[n];
    NetRoute& route = layout_.routes[n];
    if (moved_block_[net.driver]) {
      route = {};
      return;
    }
    std::vector<RouteHop> hops;
    for (const RouteHop& h : route.hops) {
      last_[h.edge] = kNowhere;
      if (h.from != kNowhere && last_[h.from] == kNowhere) continue;
      const uint32_t from = h.from == kNowhere ? kNowhere : last_[h.from];
      if (h.edge >= 4 * old_.cells()) {
        last_[h.edge] = new_.in_edge(port(h.edge - 4 * old_.cells()));
      } else if (!in_line(h.edge / 4)) {
        last_[h.edge] = 4 * cell(h.edge / 4) + h.edge % 4;
      } else {
        if (h.from != kNowhere && h.from < 4 * old_.cells() && h.from % 4 == h.edge % 4 && across(edge_side(h.edge))) last_[h.edge] = from;
        continue;
      }
      hops.push_back({last_[h.edge], from});
    }
    for (size_t i = 0; i < route.arrivals.size(); ++i)
      if (route.arrivals[i] != kNowhere) route.arrivals[i] = moved_block_[net.sinks[i]] ? kNowhere : last_[route.arrivals[i]];
    route.hops = std::move(hops);
  }

  const PackedNetlist& netlist_;
  NetlistLayout& layout_;
  const bool column_;
  const int at_;
  const Region old_, new_;
  std::vector<uint32_t> last_;
  std::vector<uint8_t> moved_block_;
};

}  // namespace

uint32_t perimeter_place(const Region& r, uint32_t port) {
  const auto w = id_of(r.width), h = id_of(r.height);
  const auto position = id_of(r.port_position(port));
  switch (r.port_side(port)) {
    case Side::N:
      return position;
    case Side::E:
      return w + position;
    case Side::S:
      return 2 * w + h - 1 - position;
    case Side::W:
      return 2 * w + 2 * h - 1 - position;
  }
  return 0;
}

uint32_t port_on_perimeter(const Region& r, uint32_t p) {
  const auto w = id_of(r.width), h = id_of(r.height);
  if (p < w) return r.port_at(Side::N, int_of(p));
  if (p < w + h) return r.port_at(Side::E, int_of(p - w));
  if (p < 2 * w + h) return r.port_at(Side::S, int_of(2 * w + h - 1 - p));
  return r.port_at(Side::W, int_of(2 * w + 2 * h - 1 - p));
}

std::vector<uint32_t> insert_lines(const PackedNetlist& netlist, NetlistLayout& layout, const NewLines& lines) {
  return Inserter(netlist, layout, lines).run();
}

void avoid_bad_cells(const PackedNetlist& netlist, NetlistLayout& layout, const DefectMap& defects) {
  if (defects.empty()) return;
  Placement& placement = layout.placement;
  const Region& r = placement.region;
  std::vector<uint8_t> cells(r.cells()), ins(r.ports()), outs(r.ports());
  auto taken = [&](BlockId b) -> std::vector<uint8_t>& { return netlist.is_cell(b) ? cells : netlist.is_input(b) ? ins : outs; };
  auto good = [&](uint32_t cell) { return !defects.touched(r.x(cell), r.y(cell)); };
  for (BlockId b = 0; b < netlist.blocks(); ++b) taken(b)[placement.at[b]] = 1;
  std::vector<uint8_t> moved(netlist.blocks());
  for (BlockId b = 0; b < netlist.blocks(); ++b) {
    const uint32_t from = placement.at[b];
    if (good(placement.cell_of(netlist, b))) continue;
    uint32_t best = kNowhere;
    int nearest = 1 << 20;
    if (netlist.is_cell(b)) {
      for (int y = 1; y + 1 < r.height; ++y)
        for (int x = 1; x + 1 < r.width; ++x) {
          const int far = std::abs(x - r.x(from)) + std::abs(y - r.y(from));
          if (far >= nearest || cells[r.cell(x, y)] || !good(r.cell(x, y))) continue;
          best = r.cell(x, y);
          nearest = far;
        }
    } else {
      const auto ports = int_of(r.ports()), at = int_of(perimeter_place(r, from));
      for (int p = 0; p < ports; ++p) {
        const uint32_t port = port_on_perimeter(r, id_of(p));
        const int far = std::min(std::abs(p - at), ports - std::abs(p - at));
        if (far >= nearest || taken(b)[port] || !good(r.port_cell(port))) continue;
        best = port;
        nearest = far;
      }
    }
    if (best == kNowhere)
      throw Error(fmt::format("netlist {}", netlist.network->name),
                  fmt::format("no good cell is left for {} in a region of {} x {}", block_name(netlist, b), r.width, r.height),
                  "use a fabric with fewer defects");
    taken(b)[from] = 0;
    taken(b)[best] = 1;
    placement.at[b] = best;
    moved[b] = 1;
  }
  for (size_t n = 0; n < netlist.nets.size(); ++n) {
    const Net& net = netlist.nets[n];
    NetRoute& route = layout.routes[n];
    if (moved[net.driver]) route = {};
    for (size_t i = 0; i < route.arrivals.size(); ++i)
      if (moved[net.sinks[i]]) route.arrivals[i] = kNowhere;
  }
}

bool remove_line(const PackedNetlist& netlist, NetlistLayout& layout, bool column, int at) {
  return Remover(netlist, layout, column, at).run();
}

}  // namespace bitgrid::mapping
