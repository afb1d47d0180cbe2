// Which signal is on which edge of which row. For row_layout*.cc only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/grid_config.h"
#include "lowering/mapping/good_columns.h"
#include "lowering/mapping/rows/row_layout_shift.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::mapping {

/// Signals (node numbers) of a row of cells.
struct LayoutRow {
  int west = kNoSignal;          // enters W
  std::vector<int> north;        // enters column x from N
  std::vector<int> south;        // leaves it S
  std::vector<int> east;         // leaves it E
  std::vector<RowShift> shifts;  // [column] in a row where nothing else happens, and all lose a cycle; empty: an ordinary row
  int late = 0;                  // rows of that kind above it
};

struct RowExit {
  Side side = Side::S;  // E: from a row; S: from a column, after the last row; N, W: constants 0 and 1
  int position = 0;     // row or column
};

struct RowLayoutRows {
  int width = 0;
  int late = 0;                 // rows in which all lose a cycle
  std::vector<LayoutRow> rows;  // shorter ones are idle in their last columns, or pass their last E signal on
  std::vector<RowExit> exits;   // one for each output
};

struct RowLayoutPlan {
  std::vector<uint32_t> gates;    // operands first
  std::vector<uint32_t> columns;  // inputs that enter N in columns 0, 1, ..
  size_t window = 16;             // gates that are considered: the next ones in order
  int look_ahead = 1;             // rows, at least 1, that signals keep away from the end of their column
  bool pack = false;              // signals move west, cycle by cycle, before a column more is taken
};

/// Rows that use no bad edge of `columns`: a signal whose column ends below moves on east, or, if it is an input, enters again when it is
/// needed. nullopt once width x height reaches `limit`, or where a signal finds no way. Counts its steps.
std::optional<RowLayoutRows> row_layout_rows(const synthesis::LogicGraph& graph, const RowLayoutPlan& plan, const Columns& columns,
                                             int64_t limit, int64_t& steps);

}  // namespace bitgrid::mapping
