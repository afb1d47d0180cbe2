// A bit-serial array before it is laid: the place and time of everything, but no truth tables. regular_plan.h makes it in closed form for a
// flawless site, and detour_plan.h makes it by search around defects. lay_plan.h turns either into cells.
//
// Slot 0 of a sum is read at (x, y) in phase x + y + kSumFront + 2 * late. Slot 0 of a column's word is read in phase x + y + 2 * late
// (docs/stamps.md).
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "ir/index.h"
#include "ir/kernel_form.h"
#include "ir/mapped_kernel.h"
#include "lowering/mapping/matrix/strip_stamps.h"
#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

inline constexpr int kSumFront = 2;

/// What a row passes on its way east.
enum class ArrayStepKind : uint8_t {
  kBlock,  // a weight: two columns of cells
  kPlain,  // a column of cells without a weight
  kEnd,    // two columns where the digit planes of a sum are combined, passed straight
};

struct ArrayStep {
  ArrayStepKind kind = ArrayStepKind::kPlain;
  int x = 0;       // first column of cells
  int column = 0;  // of a block: its column of the matrix
  int late = 0;    // cycles by which words enter later here; never less than further west

  int end_x() const { return x + (kind == ArrayStepKind::kPlain ? 1 : 2); }
};

struct ArrayRow {
  const PlaneRow* plane = nullptr;
  int group = 0;
  int index = 0;  // of the plane within its group
  int planes = 1;

  bool last_plane() const { return index + 1 == planes; }
  int digit(int column) const;
  /// Returns whether the word of the column matters.
  bool counts(int column) const;
};

/// Returns all rows of a form, in order.
std::vector<ArrayRow> array_rows(const BitSerialForm& form);

/// How a row passes a step. In block and plain columns it may move within the first column of cells (an index into `row_moves()`). After
/// the adder of a block it may move north by one in the second.
struct RowStep {
  int8_t move = 0;
  bool north = false;           // in the second column
  bool word_late = false;       // the word comes from the cell below
  std::optional<Side> carry{};  // the side from which the adder takes its carry back, and to which it sends it
  int y_in = 0, y = 0, y_out = 0;
  int late = 0;  // cycles, after the step
};
using RowPath = std::vector<RowStep>;  // one per step that the row takes

/// A way through one column of cells: the hops within it before the row leaves it to the east.
struct RowMove {
  struct Hop {
    int8_t dy;
    Side side;
  };
  std::vector<Hop> hops;
  int dy;                     // where it leaves
  int late;                   // cycles
  Side from;                  // where the sum enters the cell from which it leaves (the adder)
  std::vector<Side> carries;  // where a carry can go, most harmless first
};
const std::vector<RowMove>& row_moves();
inline const RowMove& move_of(const RowStep& step) {
  return row_moves()[index_of(step.move)];
}

/// A stretch of a column's word that no defect interrupts, from the first cell that needs it to the last.
struct WordStretch {
  int column, x, top, bottom;
  int late;  // cycles
  struct Tap {
    int y;
    bool late;  // takes the word from the cell below
  };
  std::vector<Tap> taps;
  Side from = Side::N;  // where the word enters the top cell
};

/// An adder in the corner, where a row is about to turn south. The sum enters W, the operand N.
struct CornerAdder {
  int x = 0;
  int y = 0;
  Side carry = Side::S;     // of the neighbour that returns the carry
  Side out = Side::E;       // where the sum leaves
  bool also_north = false;  // whether it also leaves north
};

/// Two columns below the row end of a group.
struct Strip {
  int group = 0;
  int left = 0;  // column L
};

struct ArrayPlan {
  int width = 0;
  int height = 0;
  int extra_lead = 0;  // cycles of lead beyond those of an array of this size

  // The array.
  std::vector<ArrayStep> steps;  // from west to east
  std::vector<ArrayRow> rows;    // from north to south
  std::vector<RowPath> paths;    // those of the rows
  std::vector<WordStretch> stretches;

  // The row ends.
  StripStamps stamps;  // of each strip, from row strip_y on
  int strip_y = 0;
  std::vector<Strip> strips;  // from west to east
  std::vector<CornerAdder> adders;

  std::vector<FabricWire> wires;

  // Ports, with the phase of slot 0.
  std::vector<std::pair<Word, BitSlot>> words;
  std::vector<ConstantStream> constants;
  std::vector<BitSlot> sums;     // by group, where the raw sums leave; not used without raw_bits
  std::vector<BitSlot> results;  // by group, where the strip's word or the sign leaves; not used if there is neither

  int end_x(size_t steps_taken) const { return steps_taken == 0 ? 0 : steps[steps_taken - 1].end_x(); }
};

/// Row r enters its first column from the west border. This adds its start to `words` or `constants`.
void add_row_start(const BitSerialForm& form, size_t row, ArrayPlan& plan);

/// Returns the edges that a row takes in a block or plain column, and those through which it takes its word.
std::vector<FabricEdge> row_edges(const ArrayStep& step, const RowStep& s);

/// Returns the edges that are needed to combine digit planes: row `place` with the plane above.
std::vector<FabricEdge> combination_edges(const ArrayPlan& plan, size_t place, size_t step);

}  // namespace bitgrid::mapping
