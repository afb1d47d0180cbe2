// Where the rows of a systolic array run among bad cells.
//
// A row that moves south stays in time (geometry is timing); a move north, or a hop to a neighbour and back, makes it a cycle later. A
// column's word comes in time for rows that are as late as it is, and a cycle later for rows that take it from the cell below, which sends
// it back north. So a row may step aside anywhere and come back, as long as it is never more than one cycle later than the words: those of
// the columns to the east enter later and later, and rows that have nothing to avoid wait at a weight 0.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

/// What a row passes on its way east.
enum class ArrayStepKind : uint8_t {
  kBlock,  // a weight: two columns of cells
  kPlain,  // a column of cells without a weight
  kEnd,    // two columns where the digit planes of a sum are combined: passed straight
};

struct ArrayStep {
  ArrayStepKind kind = ArrayStepKind::kPlain;
  int x = 0;       // first column of cells
  int column = 0;  // of a block: which one
  int late = 0;    // cycles by which words enter later here; never less than further west
};

struct ArrayRow {
  const PlaneRow* plane = nullptr;
  int group = 0;
  int index = 0;  // of the plane within its group
  int planes = 1;

  int digit(int c) const {
    const auto i = static_cast<size_t>(c);
    return plane->residents.empty() ? plane->weights[i] : plane->residents[i].zero;
  }
  /// The word of column c matters.
  bool counts(int c) const { return digit(c) != 0 || (!plane->residents.empty() && plane->residents[static_cast<size_t>(c)].one != 0); }
};

/// How a row passes a step. In block and plain columns it may move within the first column of cells (index into `row_moves()`), and
/// behind the adder of a block north by one in the second.
struct RowStep {
  int8_t move = 0;
  bool north = false;           // in the second column
  bool word_late = false;       // the word comes from the cell below
  std::optional<Side> carry{};  // from where the adder takes its carry back, and where it sends it
  int y_in = 0, y = 0, y_out = 0;
  int late = 0;  // cycles, behind the step
};

/// A way through one column of cells: hops within it before the row leaves it east.
struct RowMove {
  struct Hop {
    int8_t dy;
    Side side;
  };
  std::vector<Hop> hops;
  int dy;                     // where it leaves
  int late;                   // cycles
  Side from;                  // where the sum enters the cell that it leaves (the adder)
  std::vector<Side> carries;  // where a carry can go, most harmless first
};
const std::vector<RowMove>& row_moves();

using RowPath = std::vector<RowStep>;  // one for each step that the row takes

struct RowPathsParams {
  int first = 0;       // smallest y of a row
  int height = 0;      // all y are below it
  int window = 14;     // rows of cells below the row above among which a path is looked for
  int candidates = 1;  // so many of the rows that are left are tried for each place
  int words_end = 0;   // words are expected to be needed above this y only
  int late_end = 0;    // cycles by which rows are late behind the last step
  bool turn = false;   // sums turn south behind the last step: the southernmost at once, each other two columns further east at least
  int corner = 0;      // so many of the steps, at the end, lie there already: a row takes only those before it turns
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

/// The edges that a row lays in a block or plain column, and those through which it takes its word.
std::vector<FabricEdge> row_edges(const ArrayStep& step, const RowStep& s);

}  // namespace bitgrid::mapping
