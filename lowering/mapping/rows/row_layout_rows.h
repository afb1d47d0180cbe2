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

/// The signals (node numbers) of a row of cells.
struct LayoutRow {
  int west = kNoSignal;          // enters W
  std::vector<int> north;        // enters column x from N
  std::vector<int> south;        // leaves it S
  std::vector<int> east;         // leaves it E
  std::vector<RowShift> shifts;  // [column] in a row where nothing else happens and all signals lose a cycle; empty: an ordinary row
  int late = 0;                  // number of such rows above it
};

struct RowExit {
  Side side = Side::S;  // E: from a row; S: from a column, after the last row; N, W: constants 0 and 1
  int position = 0;     // row or column
};

struct RowLayoutRows {
  int width = 0;
  int late = 0;                 // rows in which all signals lose a cycle
  std::vector<LayoutRow> rows;  // shorter ones are idle in their last columns, or pass on their last E signal
  std::vector<RowExit> exits;   // one per output
};

struct RowLayoutPlan {
  std::vector<uint32_t> gates;    // operands first
  std::vector<uint32_t> columns;  // inputs that enter N in columns 0, 1, ..
  size_t window = 16;             // gates that are considered: the next ones in order
  int look_ahead = 1;             // rows, at least 1, by which signals stay away from the end of their column
  bool pack = false;              // signals move west, cycle by cycle, before another column is taken
};

/// Lays rows that use no bad edge of `columns`. A signal whose column ends below moves on east; an input may instead enter again when it is
/// needed. Returns nullopt once width x height reaches `limit`, or if a signal finds no path. Counts its steps.
std::optional<RowLayoutRows> row_layout_rows(const synthesis::LogicGraph& graph, const RowLayoutPlan& plan, const Columns& columns,
                                             int64_t limit, int64_t& steps);

}  // namespace bitgrid::mapping
