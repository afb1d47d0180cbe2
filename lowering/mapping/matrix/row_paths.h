// Finds the paths of the rows of a systolic array among bad cells.
//
// A row that moves south stays in time (geometry is timing). A move north, or a hop to a neighbour and back, makes it a cycle later. A
// column's word is in time for rows that are as late as it is. Rows that take it from the cell below, which sends it back north, get it a
// cycle later. So a row may step aside anywhere and come back, as long as it is never more than one cycle later than the words. The words
// of the columns to the east enter later and later, and rows that have nothing to avoid wait at a weight 0.
// the columns to the east enter later and later, and rows that have nothing to avoid wait at a weight 0.
#pragma once

#include <vector>

#include "lowering/mapping/matrix/array_plan.h"
#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

struct RowPathsParams {
  int first = 0;       // smallest y of a row
  int height = 0;      // all y are below it
  int window = 14;     // rows of cells below the previous row in which a path is searched
  int candidates = 1;  // remaining rows that are tried for each place
  int words_end = 0;   // words are expected to be needed only above this y
  int late_end = 0;    // cycles by which rows are late after the last step
  bool turn = false;   // sums turn south after the last step: the southernmost at once, and each other at least two columns further east
  int corner = 0;      // steps at the end that are part of the corner: a row takes only those before it turns
};

struct RowPaths {
  std::vector<ArrayRow> rows;  // from north to south
  std::vector<RowPath> paths;  // those of the rows
  int failed_step = -1;        // the step that the row at the next place cannot pass
  int lowest = 0;              // largest y of a cell that is used
};

/// Rows of a group stay together and in order. Each place, from north to south, goes to the row, among several, whose path lies highest.
/// The array's words come down the second column of each block, so that rows may not take southern edges there.
RowPaths find_row_paths(const Fabric& fabric, const std::vector<ArrayStep>& steps, const std::vector<ArrayRow>& rows,
                        const RowPathsParams& params);

}  // namespace bitgrid::mapping
