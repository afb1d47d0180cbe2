// The rows of a plane whose columns are shared in time: what is in which column, what runs in the current row, and the moves of signals
// whose columns end. time_shared_plane.cc decides which term a row takes; this header is only for that file.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/index.h"
#include "ir/mapped_kernel.h"
#include "lowering/mapping/good_columns.h"
#include "lowering/synthesis/esop.h"

namespace bitgrid::mapping {

/// How a term lies in a row.
struct TermPlace {
  size_t cube = 0;
  int from_west = -1;  // the input that enters W; -1: none
  int first = 0;       // columns of its first literal (0 if that enters W) and of its last output
  int last = 0;
  std::vector<std::pair<uint32_t, int>> begins;  // sums and the columns that they take
};

/// Columns of inputs, then columns of sums. After a row is begun, either shift_row() lays it, or clear_ends(), terms, inputs and end_row()
/// do.
class PlaneRows {
 public:
  static constexpr int kNone = -1;

  /// Gives inputs the columns that run longest. Those in the fewest terms may get none.
  PlaneRows(const synthesis::Esop& esop, const Columns& columns, int input_columns, int output_columns);
  /// Outputs without terms take columns now; the others do so with their first term. Returns false if there are too few columns.
  bool place_constants();

  int width() const { return width_; }
  int inputs_end() const { return inputs_end_; }
  int height() const { return count_of(rows_); }
  int input_column(uint32_t input) const { return column_of_[input]; }
  int sum_column(uint32_t output) const { return sum_at_[output]; }
  int terms_left(uint32_t output) const { return left_of_output_[output]; }
  bool vacant(int x) const { return input_at_[index_of(x)] == kNone && output_at_[index_of(x)] == kNone; }
  bool ends_soon(int x) const;

  void begin_row();
  /// Lays the row without a term, as one in which sums move west, if a sum must leave its column and only a column to the west is free. A
  /// hop west costs a cycle; all others lose a cycle too, by a hop to a neighbour and back. Returns false if this is not needed, or if
  /// defects in the row prevent it.
  bool shift_row();
  /// Handles signals whose columns end: sums leave the columns now, and inputs are in them for the last time. Returns false if a sum finds
  /// no path.
  bool clear_ends();

  /// Returns whether a signal may run east out of column x.
  bool can_pass(int x) const { return !row_.east[index_of(x)] && columns_.good(x, y(), Side::E); }
  /// Returns whether a sum that has just moved to column x enters W itself.
  bool sum_stays(int x) const { return x == 0 || !row_.east[index_of(x - 1)]; }
  void lay(const TermPlace& p);

  /// Returns the input that enters W, or kNone.
  int west() const { return row_.west; }
  /// Returns whether the input has no column in the next row.
  bool absent_next(uint32_t input) const;
  /// Moves an input (from W, if it is there) into the free column in reach that runs longest. Returns false if there is none.
  bool enter_column(uint32_t input);

  /// Returns whether there is no defect in this row or soon below it. Whatever finds no room here will find none further south.
  bool clean_row() const;
  /// Lets sums leave that are complete or whose columns end soon, if there is room.
  void end_row();

  /// Strategy "plane".
  MappedKernel kernel(const std::string& name) const;

 private:
  struct Row {
    std::vector<std::array<Lut, 4>> cells;
    std::vector<uint8_t> east;  // taken
    int west = kNone;           // input that enters W
  };

  int y() const { return height(); }
  int run_of(int x) const { return columns_.run(x, y()); }
  Lut& table(int x, Side side) { return row_.cells[index_of(x)][index_of(side)]; }
  void place_inputs();
  void stand(uint32_t input, int x);
  void begin_sum(uint32_t o, int x);
  bool shift_into(int gap, int x);
  bool move_sum(int x);
  void leave_east();
  void use_west(int input);

  const synthesis::Esop& esop_;
  const Columns& columns_;
  const int inputs_end_, width_;
  std::vector<int> input_at_, output_at_;      // by column
  std::vector<int> column_of_, sum_at_;        // by input, by output
  std::vector<int> left_of_output_;            // terms
  std::vector<std::optional<BitSlot>> exits_;  // of sums that have left
  Row row_;
  std::vector<Row> rows_;
  std::vector<InputSlot> inputs_;
  std::vector<uint32_t> unread_;  // inputs
  std::vector<int> ending_;       // columns of inputs that are in them for the last time
  int late_ = 0;                  // cycles by which everything is late after the last row
};

}  // namespace bitgrid::mapping
