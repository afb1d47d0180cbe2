// A netlist on the grid: where its blocks are and which edges its nets use. The state that routing, stretching and compaction work on.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/defects.h"
#include "lowering/mapping/netlist/packing.h"
#include "lowering/mapping/netlist/region.h"

namespace bitgrid::mapping {

/// at[b]: cell of a logic block, port of an input or output block.
struct Placement {
  Region region;
  std::vector<uint32_t> at;

  /// The cell that block b is in, or whose border it is on.
  uint32_t cell_of(const PackedNetlist& netlist, BlockId b) const { return netlist.is_cell(b) ? at[b] : region.port_cell(at[b]); }
};

/// An edge that a net uses, and the edge from which it is fed; kNowhere: by the driver, which is in the edge's cell (or is the border port
/// itself).
struct RouteHop {
  uint32_t edge = 0;
  uint32_t from = kNowhere;
};

struct NetRoute {
  std::vector<RouteHop> hops;      // an edge's `from` comes before it
  std::vector<uint32_t> arrivals;  // for each sink of the net: the edge that ends at its cell, or the border output; kNowhere: open
};

struct NetlistLayout {
  Placement placement;
  std::vector<NetRoute> routes;  // one for each net; hops may be empty
};

/// The perimeter goes round clockwise from the north-west corner, 0 .. 2W + 2H - 1: its place of a port, and back.
uint32_t perimeter_place(const Region& region, uint32_t port);
uint32_t port_on_perimeter(const Region& region, uint32_t place);

/// How many lines go in before each column (0 .. width - 1; none before the first) and each row.
struct NewLines {
  std::vector<int> before_column;
  std::vector<int> before_row;
};

/// Empty columns and rows go in; blocks and routes move with the lines that they are on; wires across new lines go straight. Returns the
/// new number of every old edge (the last part of one that became longer).
std::vector<uint32_t> insert_lines(const PackedNetlist& netlist, NetlistLayout& layout, const NewLines& lines);

/// Blocks that are on bad cells go to the nearest good place; their nets, as far as they concern them, are open. Throws Error if there is
/// no good place left.
void avoid_bad_cells(const PackedNetlist& netlist, NetlistLayout& layout, const DefectMap& defects);

/// Column (or row) `at` goes out, with the wires in it: nets that only cross it stay whole, the branches that turn or run in it are open.
/// False, and nothing changed, if a block in it finds no free place beside it. Dead ends are left for the router to prune.
bool remove_line(const PackedNetlist& netlist, NetlistLayout& layout, bool column, int at);

}  // namespace bitgrid::mapping
