// A layout on a fabric with defects: what may be laid where, and wires that find their own way.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/mapping/canvas.h"

namespace bitgrid::mapping {

/// An output edge: of cell (x, y) on `side`.
struct FabricEdge {
  int x = 0;
  int y = 0;
  Side side = Side::N;
};

/// A wire from a cell on: it enters cell (x, y) through `enter` and leaves along `moves`.
struct FabricWire {
  int x = 0;
  int y = 0;
  Side enter = Side::N;
  std::string moves;
};

class Fabric {
 public:
  /// A canvas of width x height cells; `trim` may shrink it before any border port is used.
  Fabric(int width, int height, const Defects& defects)
      : width_(width),
        height_(height),
        pitch_(width),
        layout_(width, height),
        bad_(defects, width, height),
        use_(static_cast<size_t>(width) * static_cast<size_t>(height) * 4) {
    mark_bad(defects, width, height);
  }

  int width() const { return width_; }
  int height() const { return height_; }
  void trim(int width, int height) { width_ = width, height_ = height; }

  bool inside(int x, int y) const { return x >= 0 && y >= 0 && x < width_ && y < height_; }
  bool good(int x, int y) const { return inside(x, y) && !bad_.bad_cell(x, y); }
  /// The output edge exists and can be relied on, laid or not.
  bool good(int x, int y, Side side) const { return inside(x, y) && !(use_[at(x, y, side)] & kBad); }
  /// And nothing is laid on it.
  bool free(int x, int y, Side side) const { return inside(x, y) && use_[at(x, y, side)] == 0; }
  bool fits(const Layout& piece, int x, int y) const;

  void put(int x, int y, Side side, Lut table) {
    layout_.put(x, y, side, table);
    use_[at(x, y, side)] |= kLaid;
  }
  /// Keeps an edge for what will be laid there later.
  void reserve(const FabricEdge& e) { use_[at(e.x, e.y, e.side)] |= kReserved; }
  void release(const FabricEdge& e) { use_[at(e.x, e.y, e.side)] &= static_cast<uint8_t>(~kReserved); }
  /// All edges of a wire.
  void reserve_wire(const FabricWire& wire);
  void release_wire(const FabricWire& wire);
  void lay_reserved(const FabricEdge& e, Lut table) {
    release(e);
    put(e.x, e.y, e.side, table);
  }
  void wire(const FabricWire& wire);
  void place(const Layout& piece, int x, int y);

  /// A wire of hops east and south only, from entering (x, y) on, that leaves cell (to.x, to.y) through to.side; as far north as it can be
  /// at every column. nullopt: none.
  std::optional<FabricWire> find_monotone(int x, int y, Side enter, const FabricEdge& to) const;

  /// The shortest wire from entering cell (x, y) through `enter` out of the edge `to`, of at most `most` hops.
  std::optional<FabricWire> find_between(int x, int y, Side enter, const FabricEdge& to, int most = 1 << 20) const;
  /// `wire`, longer by `hops` (an even number): where edges are free it steps aside and back, as early or as late as it can. nullopt: there
  /// are not enough.
  std::optional<FabricWire> lengthened(FabricWire wire, int hops, bool early) const;

  /// The shortest wire from any unused border port to the edge `to`, which it lays last.
  std::optional<FabricWire> find_from_border(const FabricEdge& to) const;
  /// The shortest wire from any unused border port into cell (x, y), through a side where nothing enters yet; `last` is the side on which
  /// it enters. The moves end with the one into (x, y); they are empty if the port is one of (x, y) itself.
  std::optional<FabricWire> find_feed(int x, int y, Side* last) const;
  /// The shortest wire from entering cell (x, y) through `enter` out of any border port.
  std::optional<FabricWire> find_to_border(int x, int y, Side enter) const;

  bool port_free(Side side, int position) const { return !ports_.contains({static_cast<int>(side), position}); }
  /// The port through which a wire enters; no other wire uses it from now on.
  BitSlot take_port(const FabricWire& wire, int phase);
  void release_port(const FabricWire& wire);

  /// The laid cells within the trimmed canvas.
  GridConfig config() const;

 private:
  static constexpr uint8_t kBad = 1, kLaid = 2, kReserved = 4;
  void mark_bad(const Defects& defects, int width, int height);
  void begin_search() const;
  /// True once in each search.
  bool first_visit(int x, int y, Side side) const {
    uint32_t& seen = seen_[at(x, y, side)];
    return std::exchange(seen, search_) != search_;
  }

  /// Where a wire is: about to enter cell (x, y) through `enter`.
  struct Place {
    int x, y;
    Side enter;
  };
  std::optional<FabricWire> search_forth(int x, int y, Side enter, const std::optional<FabricEdge>& to, int most) const;
  std::optional<FabricWire> search_back(int x, int y, std::string last) const;

  size_t at(int x, int y, Side side) const {
    return (static_cast<size_t>(y) * static_cast<size_t>(pitch_) + static_cast<size_t>(x)) * 4 + static_cast<size_t>(side);
  }

  int width_, height_;
  int pitch_;  // of the canvas
  Layout layout_;
  DefectMap bad_;
  std::vector<uint8_t> use_;            // by edge of the canvas: kBad, kLaid, kReserved; 0 is free
  mutable std::vector<uint32_t> seen_;  // by edge: the search that came by last
  mutable uint32_t search_ = 0;
  std::set<std::pair<int, int>> ports_;  // (side, position) of border ports that are driven
};

}  // namespace bitgrid::mapping
