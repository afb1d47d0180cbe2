// The multiply-accumulate array of a plan among bad cells: its columns, its rows, and the words that run down it.
#pragma once

#include <optional>
#include <vector>

#include "lowering/mapping/matrix/layout_attempt.h"

namespace bitgrid::mapping {

/// The place of the array.
struct ArrayDetours {
  std::vector<ArrayStep> steps;  // some may lie in the corner
  std::vector<ArrayRow> rows;    // from north to south
  std::vector<RowPath> paths;
  int end_x = 0;   // first column after it
  int late = 0;    // cycles by which rows are late there
  int lowest = 0;  // lowest row of cells
};

/// Where a row leaves its path: it is about to enter cell (x, y) from the west.
struct PathEnd {
  int x = 0;
  int y = 0;
  int late = 0;  // cycles
};
PathEnd row_end(const ArrayPlan& plan, int group);

/// Finds the paths of the rows, but takes no edges. nullopt: the attempt says why.
std::optional<ArrayDetours> find_array(LayoutAttempt& attempt);

/// Puts the array into the attempt's plan. It takes the edges of rows and carries, and reserves those of words.
void lay_array(LayoutAttempt& attempt, const ArrayDetours& array);

/// Call this when the site has its final size. It lays the row starts at the west border and then the words of the columns, which enter
/// again wherever a defect cuts them off. False: the attempt says why not.
bool feed_array(LayoutAttempt& attempt);

/// Call this last. It adds the words that no weight reads.
void add_unused_words(LayoutAttempt& attempt);

}  // namespace bitgrid::mapping
