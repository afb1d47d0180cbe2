// Where the rows of a systolic array run among bad cells.
//
// Sums flow east. A row may move south at any column and stays in time (geometry is timing); it never comes back north on its own. Columns
// in which all rows move north together by one cell make all of them one cycle later: they undo what rows have lost. Rows keep their order.
// Each row in turn takes the highest path that is left, so the rows together take as few rows of cells as paths of this kind can.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace bitgrid {

/// What a row passes on its way east.
enum class ArrayStepKind : uint8_t {
  kBlock,  // a weight: two columns
  kPlain,  // a column of cells that rows only pass
  kNorth,  // a column in which every row moves north
  kEnd,    // what stands at the row ends: passed straight
};

struct ArrayStep {
  ArrayStepKind kind = ArrayStepKind::kPlain;
  int x = 0;       // first column
  int column = 0;  // of a block: which one
};

/// A row's y before each step, and behind the last one: steps + 1 entries.
using RowPath = std::vector<int>;

/// Whether row `row` can pass step `step` from y_in to y_out; `above` is the path of the row above, or nullptr. What keeps the rows in
/// order (find_row_paths sees to that alone) need not be asked.
using CanPass = std::function<bool(int row, int step, int y_in, int y_out, const RowPath* above)>;

struct RowPathsParams {
  int first = 1;       // smallest y of a row
  int height = 0;      // all y are below it
  int window = 32;     // rows of cells below the row above among which a path is looked for
  int candidates = 1;  // so many of the rows that are left are tried for each place
};

struct RowPaths {
  std::vector<int> order;      // which row runs at each place, from north to south
  std::vector<RowPath> paths;  // one for each place
  int failed_step = -1;        // the step that the row at the next place cannot reach
};

/// `together`: consecutive rows of a group stay together and in order; group[row] ascends. `passed(row, path)` is told each row as it is
/// placed, before `can_pass` is asked for the next place.
RowPaths find_row_paths(const std::vector<ArrayStep>& steps, const std::vector<int>& group, const RowPathsParams& params,
                        const CanPass& can_pass, const std::function<void(int row, const RowPath& path)>& placed);

}  // namespace bitgrid
