#include "lowering/mapping/matrix/regular_plan.h"

#include <algorithm>
#include <cassert>
#include <climits>

#include "ir/index.h"
#include "lowering/mapping/matrix/bit_serial.h"

namespace bitgrid::mapping {
namespace {

std::string moves(int count, Side side) {
  return std::string(index_of(count), letter(side));
}

/// How a clamp gets the delayed copy of its word.
enum class Copies : uint8_t {
  kInStrips,  // a delay line in each strip
  kBeside,    // the row goes on east, turns north and comes back in the row above
  kBelow,     // the word leaves column R two rows below its own, east, and comes back one row below its own
};

/// Places of everything; y of the first plane row is 0. The row below the last one returns its carries.
class RegularPlanner {
 public:
  /// `multipliers`: as for strip_stamps.
  RegularPlanner(const BitSerialForm& form, int multipliers)
      : form_(form), stamps_(strip_stamps(form, CornerUse::kAll, multipliers)), groups_(count_of(form.groups)) {
    assert(!form.groups.empty() && form.word_slots > 0);
    int y = 0;
    bool combines = false;
    for (const RowGroup& g : form.groups) {
      combines |= g.planes.size() > 1;
      y += count_of(g.planes);
      group_y_.push_back(y - 1);
    }
    if (!stamps_.words_only) corner_x_ = std::max(1, 2 * count_of(form.columns) + (combines ? 2 : 0));
    combine_x_ = combines ? corner_x_ - 2 : INT_MAX;
    turns_ = stamps_.any || stamps_.adds_word;
    width_ = corner_x_ + (turns_ ? 2 * groups_ + (stamps_.any ? 1 : 0) : 0);
    if (stamps_.words_only) {
      height_ = stamps_.rows();
      return;
    }
    strip_y_ = y;
    if (stamps_.copy_late > 0)
      place_copies();
    else if (stamps_.adds_word || (stamps_.any && stamps_.rows() == 0))
      ++strip_y_;  // for the carry of the last adder in the corner
    height_ = std::max(strip_y_ + stamps_.rows(), y + 1);
  }

  BitSerialSize size() const {
    // Words enter first at the smallest phase.
    int first = INT_MAX, last = INT_MIN, y = 0;
    const auto enters = [&](const Word& word, int phase) { first = std::min(first, phase + 2 * int_of(word.shift)); };
    for (int c = 0; c < count_of(form_.columns); ++c) enters(form_.columns[index_of(c)], 2 * c + 1);
    for (int g = 0; g < groups_; ++g) {
      const RowGroup& group = form_.groups[index_of(g)];
      for (const PlaneRow& row : group.planes) {
        if (row.start_word && !stamps_.words_only) enters(*row.start_word, y + kSumFront);
        ++y;
      }
      if (group.residual) enters(*group.residual, operand_port(g).phase);
      if (stamps_.adds_start_words) enters(*group.planes[0].start_word, operand_port(g).phase - 1);
      const int raw_slot = int_of(form_.raw_bits + form_.raw_shift) - 1;
      if (form_.raw_bits > 0 && !stamps_.words_only) last = std::max(last, sum_port(g).phase + 2 * raw_slot);
    }
    if (form_.sign && !stamps_.any) last = std::max(last, sum_port(groups_ - 1).phase + 2 * (form_.word_slots - 1));
    if (stamps_.any) {
      const int slot = form_.clamp  ? stamps_.result_slot() + form_.clamp->width - 1
                       : form_.sign ? form_.word_slots - 1
                                    : int_of(form_.raw_bits + form_.raw_shift) - 1;
      last = std::max(last, result_port(0).phase + 2 * slot);
    }
    return {width_, height_, form_.word_slots, (last - first + 2) / 2};
  }

  ArrayPlan plan() {
    plan_.width = width_;
    plan_.height = height_;
    plan_.strip_y = strip_y_;
    plan_.extra_lead = reach_ + stamps_.phases();
    if (!stamps_.words_only) plan_array();
    for (int g = 0; g < groups_; ++g) plan_row_end(g);
    for (int g = groups_ - 1; g >= 0 && stamps_.any; --g) plan_.strips.push_back({g, left(g)});
    if (stamps_.any) plan_lanes();
    plan_.stamps = std::move(stamps_);
    return std::move(plan_);
  }

 private:
  /// Column L of a group's row end. The southernmost row turns first: the corner below the others stays free for copies.
  int left(int group) const { return corner_x_ + 2 * (groups_ - 1 - group); }
  int right(int group) const { return left(group) + 1; }
  int row_y(int group) const { return group_y_[index_of(group)]; }

  /// Raw sums leave north where something else is added in column R or a copy takes the row's way east.
  bool sums_leave_north() const { return stamps_.adds_constant || (stamps_.copy_late > 0 && copies_ == Copies::kBelow); }
  /// Where slot 0 of a group's raw sum, or of a sum that ends in a sign without a strip, leaves.
  BitSlot sum_port(int group) const {
    const int y = row_y(group);
    if (sums_leave_north()) return {Side::N, left(group), left(group) + 2 * y + kSumFront};
    return {Side::E, y, width_ - 1 + y + kSumFront};
  }
  /// Phase in which (R, first row) of a strip reads slot 0.
  int strip_phase(int group) const { return right(group) + strip_y_ + kSumFront; }
  BitSlot result_port(int group) const {
    return {Side::S, left(group) + stamps_.result_column(), strip_phase(group) + stamps_.phases() - 1};
  }
  /// Where a residual word enters; with words_only the one that goes down column R.
  BitSlot operand_port(int group) const {
    const int x = stamps_.words_only ? right(group) : left(group);
    return {Side::N, x, x + kSumFront};
  }

  /// A copy takes a way of clamp_copy_late phases more than its word: `reach` columns east and back. Where that would leave the grid, a
  /// delay line takes column L and R, below all rows in which copies of other strips come by.
  void place_copies() {
    const bool below = stamps_.adds_constant || stamps_.adds_word;
    copies_ = below ? Copies::kBelow : Copies::kBeside;
    const int first = below ? 1 : -1;  // rows of a copy, relative to the group's row
    reach_ = form_.clamp->sign - 1;
    line_groups_ = reach_ / 2;
    if (row_y(0) + first < 0) line_groups_ = std::max(line_groups_, 1);
    line_groups_ = std::min(line_groups_, groups_);
    strip_y_ += first + 1;
    if (line_groups_ == 0) return;
    line_ = delay_line(clamp_copy_hops(form_.clamp->sign));
    const int last = std::min(groups_ - 1, line_groups_ - 1 + (reach_ + 1) / 2);
    line_y_ = row_y(last) + first + 2;
    strip_y_ = std::max(strip_y_, line_y_ + line_.rows);
  }

  void plan_array() {
    const int columns = count_of(form_.columns);
    for (int c = 0; c < columns; ++c) plan_.steps.push_back({ArrayStepKind::kBlock, 2 * c, c, 0});
    if (combine_x_ != INT_MAX)
      plan_.steps.push_back({ArrayStepKind::kEnd, combine_x_, 0, 0});
    else if (columns == 0)
      plan_.steps.push_back({ArrayStepKind::kPlain, 0, 0, 0});
    plan_.rows = array_rows(form_);
    for (int y = 0; y < count_of(plan_.rows); ++y) {
      RowPath path(plan_.steps.size(), RowStep{0, false, false, {}, y, y, y, 0});
      for (int c = 0; c < columns; ++c) {
        if (plan_.rows[index_of(y)].counts(c)) path[index_of(c)].carry = Side::S;
      }
      plan_.paths.push_back(std::move(path));
      add_row_start(form_, index_of(y), plan_);
    }
    for (int c = 0; c < columns; ++c) plan_word(c);
  }

  void plan_word(int c) {
    const int x = 2 * c + 1;
    plan_.words.emplace_back(form_.columns[index_of(c)], BitSlot{Side::N, x, x});
    WordStretch stretch{c, x, 0, 0, 0, {}};
    for (int y = 0; y < count_of(plan_.rows); ++y) {
      if (plan_.rows[index_of(y)].counts(c)) stretch.taps.push_back({y, false});
    }
    if (stretch.taps.empty()) return;  // no weight reads the word
    stretch.bottom = stretch.taps.back().y;
    plan_.stretches.push_back(std::move(stretch));
  }

  /// Rows run east; the residual word comes down column L and is added; the sum turns south in column R or goes on to the border.
  void plan_row_end(int group) {
    if (stamps_.words_only) return plan_words(group);
    const int l = left(group), r = right(group), y = row_y(group);
    const bool adds_word = form_.groups[index_of(group)].residual.has_value(), sums = form_.raw_bits > 0;
    if (turns_) {
      if (adds_word) {
        wire(corner_x_, y, Side::W, moves(l - corner_x_, Side::E));
        wire(l, 0, Side::N, moves(y, Side::S));
        plan_.words.emplace_back(*form_.groups[index_of(group)].residual, operand_port(group));
        plan_.adders.push_back({l, y, Side::S, Side::E, sums && sums_leave_north()});
      } else {
        wire(corner_x_, y, Side::W, moves(l + 1 - corner_x_, Side::E));
      }
      if (sums && sums_leave_north()) wire(l, adds_word ? y - 1 : y, adds_word ? Side::S : Side::W, moves(adds_word ? y : y + 1, Side::N));
      if ((sums && !sums_leave_north()) || !stamps_.any) wire(r, y, Side::W, moves(width_ - r, Side::E));
    }
    if (stamps_.any) plan_strip(group);
    if (sums || !stamps_.any) {
      plan_.sums.push_back(sum_port(group));
      if (!stamps_.any) plan_.results.push_back(plan_.sums.back());
    }
  }

  /// From column R of the row to the strip.
  void plan_strip(int group) {
    const int r = right(group), y = row_y(group);
    if (stamps_.adds_constant) {
      wire(r, 0, Side::N, moves(y, Side::S));
      plan_.constants.push_back({{Side::N, r, r + kSumFront}, slots_of(form_.strip_constant, form_.word_slots)});
      plan_.adders.push_back({r, y, Side::E, Side::S});
      wire(r, y + 1, Side::N, moves(strip_y_ - y - 1, Side::S));
    } else {
      wire(r, y, Side::W, moves(strip_y_ - y, Side::S));
    }
    if (stamps_.copy_late > 0) plan_copy(group);
    plan_streams(group);
  }

  void plan_copy(int group) {
    const int l = left(group), r = right(group), y = row_y(group);
    if (group < line_groups_) {
      wire(r, line_y_ + line_.rows - 1, Side::N, line_.copy);
      wire(l, line_y_ + line_.rows, Side::N, moves(strip_y_ - line_y_ - line_.rows, Side::S));
      return;
    }
    const bool below = copies_ == Copies::kBelow, sum_runs_east = !below && form_.raw_bits > 0;
    const int east = below ? y + 2 : y, west = east - 1;
    const std::string back = "N" + moves(reach_ + 1, Side::W) + moves(strip_y_ - west, Side::S);
    if (sum_runs_east)
      wire(r + reach_, east, Side::W, back);
    else
      wire(r, east, below ? Side::N : Side::W, moves(reach_, Side::E) + back);
  }

  /// Words that enter the strips from the north border.
  void plan_words(int group) {
    const RowGroup& g = form_.groups[index_of(group)];
    const BitSlot right_port = operand_port(group), left_port{Side::N, left(group), right_port.phase - 1};
    plan_.words.emplace_back(*g.residual, right_port);
    if (stamps_.adds_start_words) plan_.words.emplace_back(*g.planes[0].start_word, left_port);
    if (stamps_.adds_border_constant) plan_.constants.push_back({left_port, slots_of(form_.strip_constant, form_.word_slots)});
    plan_streams(group);
    if (stamps_.adds_start_words) plan_.sums.push_back(plan_.results.back());
  }

  /// Control streams of the clamp from the south border, and where the result leaves.
  void plan_streams(int group) {
    plan_.results.push_back(result_port(group));
    for (const StripFeed& feed : stamps_.feeds) {
      const int begin = strip_phase(group) + stamps_.phases() - stamps_.clamp->delay - 1;
      plan_.constants.push_back({{Side::S, left(group) + feed.column, begin + feed.phase}, feed.slots});
    }
  }

  void plan_lanes() {
    const int first = groups_ - 1;  // the group of the westernmost strip
    for (const Lane& lane : stamps_.lanes()) {
      wire(0, strip_y_ + lane.row, Side::W, moves(corner_x_, Side::E));
      plan_.constants.push_back({{Side::W, strip_y_ + lane.row, strip_phase(first) + lane.phase - corner_x_}, lane.slots});
    }
  }

  void wire(int x, int y, Side enter, std::string along) {
    if (!along.empty()) plan_.wires.push_back({x, y, enter, std::move(along)});
  }

  const BitSerialForm& form_;
  StripStamps stamps_;
  const int groups_;
  int corner_x_ = 0;          // first column behind the array
  int combine_x_ = 0;         // two columns that combine digit planes; INT_MAX: none
  bool turns_ = false;        // rows go on into the corner
  std::vector<int> group_y_;  // bottom plane row of each group
  int strip_y_ = 0;           // first row of the strips
  int width_ = 0, height_ = 0;

  Copies copies_ = Copies::kInStrips;
  int reach_ = 0;        // columns that copies go east of column R
  int line_groups_ = 0;  // the first groups (the easternmost strips) delay their copies in a line in their own columns instead
  int line_y_ = 0;       // first row of these lines
  DelayLine line_;

  ArrayPlan plan_;
};

}  // namespace

int64_t bit_serial_cells(int columns, int groups, int planes, bool strips, int strip_rows) {
  const int64_t width = 2 * columns + (planes > 1 ? 2 : 0) + (strips ? 2 * groups + 1 : 0);
  return width * (int64_t{groups} * planes + (strips ? strip_rows : 1));
}

BitSerialSize bit_serial_size(const BitSerialForm& form) {
  return RegularPlanner(form, 1).size();
}

ArrayPlan regular_plan(const BitSerialForm& form) {
  return RegularPlanner(form, INT_MAX).plan();
}

}  // namespace bitgrid::mapping
