// Tracks which edges of a site with defects are good and free, and finds paths for wires on them.
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

/// The output edge of cell (x, y) on `side`.
struct FabricEdge {
  int x = 0;
  int y = 0;
  Side side = Side::N;
};

/// A wire that enters cell (x, y) through `enter` and leaves along `moves`.
struct FabricWire {
  int x = 0;
  int y = 0;
  Side enter = Side::N;
  std::string moves;
};

class Fabric {
 public:
  /// A canvas of width x height cells. `trim` may shrink it before any border port is used.
  Fabric(int width, int height, const Defects& defects)
      : width_(width), height_(height), pitch_(width), bad_(defects, width, height), use_(4 * index_of(width) * index_of(height)) {
    mark_bad(defects, width, height);
  }

  int width() const { return width_; }
  int height() const { return height_; }
  void trim(int width, int height) { width_ = width, height_ = height; }

  bool inside(int x, int y) const { return x >= 0 && y >= 0 && x < width_ && y < height_; }
  bool good(int x, int y) const { return inside(x, y) && !bad_.bad_cell(x, y); }
  /// Returns whether the output edge exists and works, whether it is taken or not.
  bool good(int x, int y, Side side) const { return inside(x, y) && !(use_[at(x, y, side)] & kBad); }
  /// Returns whether it is also neither taken nor reserved.
  bool free(int x, int y, Side side) const { return inside(x, y) && use_[at(x, y, side)] == 0; }
  bool fits(const Layout& piece, int x, int y) const;

  void take(const FabricEdge& e) { use_[at(e.x, e.y, e.side)] |= kTaken; }
  /// Takes all edges of a wire, or of a piece with its north-west corner at (x, y).
  void take(const FabricWire& wire);
  void take(const Layout& piece, int x, int y);
  /// Keeps an edge for whatever will take it later.
  void reserve(const FabricEdge& e) { use_[at(e.x, e.y, e.side)] |= kReserved; }
  void release(const FabricEdge& e) { use_[at(e.x, e.y, e.side)] &= static_cast<uint8_t>(~kReserved); }
  /// Keeps all edges of a wire.
  void reserve_wire(const FabricWire& wire);
  void release_wire(const FabricWire& wire);

  /// Finds a wire with only east and south hops that enters (x, y) and leaves cell (to.x, to.y) through to.side. In every column it is as
  /// far north as possible. nullopt: there is none.
  std::optional<FabricWire> find_monotone(int x, int y, Side enter, const FabricEdge& to) const;

  /// Finds the shortest wire that enters cell (x, y) through `enter` and ends with the edge `to`, with at most `most` hops.
  std::optional<FabricWire> find_between(int x, int y, Side enter, const FabricEdge& to, int most = 1 << 20) const;
  /// Lengthens `wire` by `hops` (an even number): it steps aside and back over free edges, as early or as late as possible. nullopt: there
  /// are not enough free edges.
  std::optional<FabricWire> lengthened(FabricWire wire, int hops, bool early) const;

  /// Finds the shortest wire from any unused border port that ends with the edge `to`.
  std::optional<FabricWire> find_from_border(const FabricEdge& to) const;
  /// Finds the shortest wire from any unused border port into cell (x, y), through a side where nothing enters yet. `last` is the side on
  /// which it enters. The moves end with the one into (x, y); they are empty if the port is one of (x, y) itself.
  std::optional<FabricWire> find_feed(int x, int y, Side* last) const;
  /// Finds the shortest wire that enters cell (x, y) through `enter` and leaves through any border port.
  std::optional<FabricWire> find_to_border(int x, int y, Side enter) const;

  bool port_free(Side side, int position) const { return !ports_.contains({int_of(side), position}); }
  /// Returns the port through which a wire enters. From then on no other wire may use it.
  BitSlot take_port(const FabricWire& wire, int phase);
  void release_port(const FabricWire& wire);

 private:
  static constexpr uint8_t kBad = 1, kTaken = 2, kReserved = 4;
  void mark_bad(const Defects& defects, int width, int height);
  void begin_search() const;
  /// Returns true on the first visit in each search.
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
  std::vector<uint8_t> use_;            // by edge of the canvas: kBad, kTaken, kReserved; 0 means free
  mutable std::vector<uint32_t> seen_;  // by edge: the last search that visited it
  mutable uint32_t search_ = 0;
  std::set<std::pair<int, int>> ports_;  // (side, position) of border ports that are driven
};

}  // namespace bitgrid::mapping
