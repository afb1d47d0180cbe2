// A netlist on the grid: where its blocks are and which edges its nets use. Routing, stretching and compaction work on this state.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/defects.h"
#include "lowering/mapping/netlist/packing.h"
#include "lowering/mapping/netlist/region.h"

namespace bitgrid::mapping {

/// at[b]: the cell of a logic block, or the port of an input or output block.
struct Placement {
  Region region;
  std::vector<uint32_t> at;

  /// Returns the cell that block b is in, or at whose border it is.
  uint32_t cell_of(const PackedNetlist& netlist, BlockId b) const { return netlist.is_cell(b) ? at[b] : region.port_cell(at[b]); }
};

/// An edge that a net uses, and the edge that feeds it. kNowhere means the driver, which is in the edge's cell (or is the border port
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
  std::vector<NetRoute> routes;  // one per net; hops may be empty
};

/// The perimeter runs clockwise from the north-west corner, 0 .. 2W + 2H - 1. These convert a port to its place there, and back.
uint32_t perimeter_place(const Region& region, uint32_t port);
uint32_t port_on_perimeter(const Region& region, uint32_t place);

/// How many lines to insert before each column (0 .. width - 1; none before the first) and each row.
struct NewLines {
  std::vector<int> before_column;
  std::vector<int> before_row;
};

/// Inserts empty columns and rows. Blocks and routes move with the lines that they are on, and wires cross new lines straight. Returns the
/// new number of every old edge (the last part of one that became longer).
std::vector<uint32_t> insert_lines(const PackedNetlist& netlist, NetlistLayout& layout, const NewLines& lines);

/// Moves blocks on bad cells to the nearest good place, and opens the affected parts of their nets. Throws Error if there is no good place
/// left.
void avoid_bad_cells(const PackedNetlist& netlist, NetlistLayout& layout, const DefectMap& defects);

/// Removes column (or row) `at` with its wires. Nets that only cross it stay whole; branches that turn or run in it are opened. Returns
/// false, with nothing changed, if a block in it finds no free place beside it. The router prunes the dead ends.
bool remove_line(const PackedNetlist& netlist, NetlistLayout& layout, bool column, int at);

}  // namespace bitgrid::mapping
