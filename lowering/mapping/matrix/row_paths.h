// Where the rows of a systolic array run among bad cells.
//
// A row that moves south stays in time (geometry is timing); a move north, or a hop to a neighbour and back, makes it a cycle later. A
// column's word comes in time for rows that are as late as it is, and a cycle later for rows that take it from the cell below, which sends
// it back north. So a row may step aside anywhere and come back, as long as it is never more than one cycle later than the words: those of
// the columns to the east enter later and later, and rows that have nothing to avoid wait at a weight 0.
#pragma once

#include <vector>

#include "lowering/mapping/matrix/array_plan.h"
#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

struct RowPathsParams {
  int first = 0;       // smallest y of a row
  int height = 0;      // all y are below it
  int window = 14;     // rows of cells below the row above among which a path is looked for
  int candidates = 1;  // rows that are tried for each place, of those that are left
  int words_end = 0;   // words are expected to be needed above this y only
  int late_end = 0;    // cycles by which rows are late behind the last step
  bool turn = false;   // sums turn south behind the last step: the southernmost at once, each other two columns further east at least
  int corner = 0;      // steps, at the end, that lie there already: a row takes only those before it turns
};

struct RowPaths {
  std::vector<ArrayRow> rows;  // from north to south
  std::vector<RowPath> paths;  // theirs
  int failed_step = -1;        // the step that the row at the next place cannot pass
  int lowest = 0;              // largest y of a cell that is used
};

/// Rows of a group stay together and in order. Each place, from north to south, goes to the one of several rows whose path lies highest.
/// The array's words come down the second column of each block: no row takes its southern edges.
RowPaths find_row_paths(const Fabric& fabric, const std::vector<ArrayStep>& steps, const std::vector<ArrayRow>& rows,
                        const RowPathsParams& params);

}  // namespace bitgrid::mapping
