// Which edges of a site with defects are good and free, and wires that find their way on them.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ir/defects.h"
#include "ir/index.h"
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
      : width_(width), height_(height), pitch_(width), bad_(defects, width, height), use_(4 * index_of(width) * index_of(height)) {
    mark_bad(defects, width, height);
  }

  int width() const { return width_; }
  int height() const { return height_; }
  void trim(int width, int height) { width_ = width, height_ = height; }

  bool inside(int x, int y) const { return x >= 0 && y >= 0 && x < width_ && y < height_; }
  bool good(int x, int y) const { return inside(x, y) && !bad_.bad_cell(x, y); }
  /// The output edge exists and can be relied on, taken or not.
  bool good(int x, int y, Side side) const { return inside(x, y) && !(use_[at(x, y, side)] & kBad); }
  /// And nothing has taken or reserved it.
  bool free(int x, int y, Side side) const { return inside(x, y) && use_[at(x, y, side)] == 0; }
  bool fits(const Layout& piece, int x, int y) const;

  void take(const FabricEdge& e) { use_[at(e.x, e.y, e.side)] |= kTaken; }
  /// All edges of a wire, or of a piece with its north-west corner at (x, y).
  void take(const FabricWire& wire);
  void take(const Layout& piece, int x, int y);
  /// Keeps an edge for what will take it later.
  void reserve(const FabricEdge& e) { use_[at(e.x, e.y, e.side)] |= kReserved; }
  void release(const FabricEdge& e) { use_[at(e.x, e.y, e.side)] &= static_cast<uint8_t>(~kReserved); }
  /// All edges of a wire.
  void reserve_wire(const FabricWire& wire);
  void release_wire(const FabricWire& wire);

  /// A wire of hops east and south only, from entering (x, y) on, that leaves cell (to.x, to.y) through to.side; as far north as it can be
  /// at every column. nullopt: none.
  std::optional<FabricWire> find_monotone(int x, int y, Side enter, const FabricEdge& to) const;

  /// The shortest wire from entering cell (x, y) through `enter` out of the edge `to`, of at most `most` hops.
  std::optional<FabricWire> find_between(int x, int y, Side enter, const FabricEdge& to, int most = 1 << 20) const;
  /// `wire`, longer by `hops` (an even number): where edges are free it steps aside and back, as early or as late as it can. nullopt: there
  /// are not enough.
  std::optional<FabricWire> lengthened(FabricWire wire, int hops, bool early) const;

  /// The shortest wire from any unused border port to the edge `to`, which is its last.
  std::optional<FabricWire> find_from_border(const FabricEdge& to) const;
  /// The shortest wire from any unused border port into cell (x, y), through a side where nothing enters yet; `last` is the side on which
  /// it enters. The moves end with the one into (x, y); they are empty if the port is one of (x, y) itself.
  std::optional<FabricWire> find_feed(int x, int y, Side* last) const;
  /// The shortest wire from entering cell (x, y) through `enter` out of any border port.
  std::optional<FabricWire> find_to_border(int x, int y, Side enter) const;

  bool port_free(Side side, int position) const { return !ports_.contains({int_of(side), position}); }
  /// The port through which a wire enters; no other wire uses it from now on.
  BitSlot take_port(const FabricWire& wire, int phase);
  void release_port(const FabricWire& wire);

 private:
  static constexpr uint8_t kBad = 1, kTaken = 2, kReserved = 4;
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

  size_t at(int x, int y, Side side) const { return 4 * (index_of(y) * index_of(pitch_) + index_of(x)) + index_of(side); }

  int width_, height_;
  int pitch_;  // of the canvas
  DefectMap bad_;
  std::vector<uint8_t> use_;            // by edge of the canvas: kBad, kTaken, kReserved; 0 is free
  mutable std::vector<uint32_t> seen_;  // by edge: the search that came by last
  mutable uint32_t search_ = 0;
  std::set<std::pair<int, int>> ports_;  // (side, position) of border ports that are driven
};

}  // namespace bitgrid::mapping
