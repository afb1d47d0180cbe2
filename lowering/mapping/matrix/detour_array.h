// The multiply-accumulate array of a systolic kernel among bad cells: its columns, its rows, and the words that come down.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "lowering/mapping/matrix/layout_attempt.h"
#include "lowering/mapping/matrix/operand_rerouting.h"
#include "lowering/mapping/matrix/row_paths.h"

namespace bitgrid::mapping {

/// Where a row leaves its path: it is about to enter cell (x, y) from the west.
struct PathEnd {
  int x = 0;
  int y = 0;
  int late = 0;  // cycles
};

/// Where the array stands.
struct DetourArray {
  std::vector<ArrayStep> steps;  // with turning rows some in the corner already
  RowPaths rows;
  int end_x = 0;   // first column behind it
  int late = 0;    // cycles by which rows are late there
  int lowest = 0;  // lowest row of cells
  std::vector<WordStretch> stretches;
  std::vector<std::pair<int, int>> unused;  // columns without weights, and the x of their words

  bool empty() const { return rows.paths.empty(); }
  /// Where the sum of a group leaves, and at which y the row at a place starts.
  PathEnd row_end(int group) const;
  int row_start(size_t place) const { return rows.paths[place].front().y_in; }
};

/// Finds the rows' ways; lays nothing. `turn`: the rows go on to strips behind the array. nullopt: the draft says why.
std::optional<DetourArray> plan_array(LayoutAttempt& draft, bool turn);

/// Lays rows and carries; words stay reserved.
void lay_array(LayoutAttempt& draft, DetourArray& array);

/// Row starts at the west border, then the words of the columns, each fed anew where a defect cuts it off.
bool feed_array(LayoutAttempt& draft, DetourArray& array);

/// When all is laid and the kernel has its grid: words that nothing reads, and the words of resident cells.
void finish_array(LayoutAttempt& draft, const DetourArray& array);

}  // namespace bitgrid::mapping
