// Bit j of the running count flows east in row j of the count, which stands on row y_j of cells. Among bad cells there are gaps between the
// rows. Everything that moves east and south is in step. A column takes an input, or passes the rows straight, or moves one gap: rows step
// south into it, or north, and then those that stay lose the same cycle by a hop to a neighbour and back.
#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>
#include <vector>

#include "ir/index.h"
#include "ir/output_cone.h"
#include "lowering/mapping/arrays/counter.h"
#include "lowering/mapping/canvas.h"
#include "lowering/mapping/normalise_phases.h"

namespace bitgrid::mapping {
namespace {

constexpr int kMostGaps = 3;
constexpr int kMoreColumns = 100;

/// y of each row.
using Rows = std::vector<int>;

struct CounterReached {
  int count = 0;  // inputs so far; 0: not reached
  size_t from = 0;
  enum class How : uint8_t { kInput, kPass, kMove } how = How::kPass;
};

class Counter {
 public:
  Counter(uint32_t inputs, uint32_t outputs, const Defects& defects, int gaps)
      : inputs_(int_of(inputs)),
        outputs_(int_of(outputs)),
        bits_(std::min(int_of(std::bit_width(inputs)), outputs_)),
        top_is_carry_(bits_ > 1 && (1 << (bits_ - 1)) + 1 >= inputs_),
        rows_(top_is_carry_ ? bits_ - 1 : bits_),
        height_(rows_ + gaps),
        most_(3 * inputs_ + kMoreColumns),
        bad_(defects, most_, height_) {
    std::vector<bool> is_row(index_of(height_));
    std::fill_n(is_row.begin(), rows_, true);
    do {
      Rows rows;
      for (int y = 0; y < height_; ++y)
        if (is_row[index_of(y)]) rows.push_back(y);
      states_.push_back(std::move(rows));
    } while (std::prev_permutation(is_row.begin(), is_row.end()));
    for (size_t a = 0; a < states_.size(); ++a) {
      moves_.emplace_back();
      for (size_t b = 0; b < states_.size(); ++b)
        if (one_gap_moves(states_[a], states_[b])) moves_.back().push_back(b);
    }
  }

  int height() const { return height_; }

  /// Columns; nullopt: no way, or `limit` cells.
  std::optional<int> find(int64_t limit) {
    CounterReached start;
    start.count = 1;  // the input that enters W
    reached_.assign(1, std::vector<CounterReached>(states_.size(), start));
    for (int x = 0; x < most_ && int64_t{x + 1} * height_ < limit; ++x) {
      for (size_t s = 0; s < states_.size(); ++s) {
        if (at(x, s).count == inputs_ - 2 && takes_input(x, s)) {
          end_ = s;
          return x + 1;
        }
      }
      reached_.emplace_back(states_.size());
      bool any = false;
      for (size_t s = 0; s < states_.size(); ++s) {
        if (at(x, s).count == 0) continue;
        any = true;
        extend(x, s);
      }
      if (!any) return std::nullopt;
    }
    return std::nullopt;
  }

  MappedKernel lay(const std::string& name, int columns) const {
    std::vector<size_t> before(index_of(columns));  // state in which the rows enter each column
    size_t s = end_;
    for (int x = columns - 1; x >= 0; --x) {
      before[index_of(x)] = s;
      s = at(x, s).from;
    }
    MappedKernel kernel;
    kernel.name = name;
    kernel.strategy = "counter";
    kernel.input_bits = id_of(inputs_);
    kernel.output_bits = id_of(outputs_);
    Layout layout(columns, height_);
    kernel.inputs.push_back({0, {Side::W, states_[before[0]][0], states_[before[0]][0]}, 1});
    int late = 0, count = 1;
    for (int x = 0; x < columns; ++x) {
      const Rows& rows = states_[before[index_of(x)]];
      const bool last = x + 1 == columns;
      const size_t next = last ? end_ : before[index_of(x) + 1];
      const auto how = last ? CounterReached::How::kInput : at(x + 1, next).how;
      if (how == CounterReached::How::kInput) {
        kernel.inputs.push_back({id_of(count), {Side::N, x, x + 2 * late}, 1});
        if (last) kernel.inputs.push_back({id_of(count + 1), {Side::E, rows[0], x + rows[0] + 2 * late}, 1});
        count = lay_input(layout, x, rows, count, last);
      } else if (how == CounterReached::How::kPass) {
        for (int j = 0; j < live(count); ++j) layout.put(x, rows[index_of(j)], Side::E, kFromW);
      } else {
        late += lay_move(layout, x, rows, states_[next], count);
      }
    }
    const int x = columns - 1;
    for (const int y : states_[end_]) kernel.outputs.push_back({Side::E, y, x + y + 2 * late});
    if (top_is_carry_) kernel.outputs.push_back({Side::S, x, x + height_ - 1 + 2 * late});
    add_zeros(kernel, columns);
    kernel.grid = layout.config();
    normalise_phases(kernel);
    raise_lead(kernel);
    return kernel;
  }

 private:
  const CounterReached& at(int x, size_t state) const { return reached_[index_of(x)][state]; }
  bool good(int x, int y, Side side) const { return !bad_.bad_edge(x, y, side); }
  /// Rows of a count that may be as large.
  int live(int count) const { return std::min(rows_, int_of(std::bit_width(static_cast<unsigned>(count)))); }

  /// From a to b one row or several next to each other move by one, the same way.
  static bool one_gap_moves(const Rows& a, const Rows& b) {
    int first = -1, last = -1, by = 0;
    for (size_t j = 0; j < a.size(); ++j) {
      if (a[j] == b[j]) continue;
      if (std::abs(a[j] - b[j]) > 1 || (by != 0 && b[j] - a[j] != by)) return false;
      if (first >= 0 && (last + 1 != int_of(j) || a[j] != a[j - 1] + 1)) return false;
      by = b[j] - a[j];
      last = int_of(j);
      if (first < 0) first = last;
    }
    return first >= 0;
  }

  void reach(int x, size_t state, const CounterReached& how) {
    CounterReached& r = reached_[index_of(x)][state];
    if (how.count > r.count) r = how;
  }
  void extend(int x, size_t s) {
    const int count = at(x, s).count;
    // The column of the last two inputs is the last one.
    if (count < inputs_ - 2 && takes_input(x, s)) reach(x + 1, s, {count + 1, s, CounterReached::How::kInput});
    if (passes(x, s, count)) reach(x + 1, s, {count, s, CounterReached::How::kPass});
    for (int y = 0; y < height_; ++y)
      if (bad_.touched(x, y)) return;
    for (const size_t to : moves_[s]) reach(x + 1, to, {count, s, CounterReached::How::kMove});
  }
  bool passes(int x, size_t s, int count) const {
    for (int j = 0; j < live(count); ++j)
      if (!good(x, states_[s][index_of(j)], Side::E)) return false;
    return true;
  }
  bool takes_input(int x, size_t s) const {
    const Rows& rows = states_[s];
    const int before = at(x, s).count, after = before + (before == inputs_ - 2 ? 2 : 1);
    const int used = live(after);
    // In the last column all rows leave, and the top carry does.
    const int lowest = before == inputs_ - 2 && top_is_carry_ ? height_ - 1 : rows[index_of(used) - 1] - 1;
    for (int y = 0; y <= lowest; ++y)
      if (!good(x, y, Side::S)) return false;
    for (int j = 0; j < used; ++j)
      if (!good(x, rows[index_of(j)], Side::E)) return false;
    return true;
  }

  /// Returns the count.
  int lay_input(Layout& layout, int x, const Rows& rows, int before, bool last) const {
    const int after = before + (last ? 2 : 1), was = live(before), now = live(after);
    if (rows[0] > 0) layout.wire(x, 0, Side::N, Side::S, rows[0]);
    for (int j = 0; j < now; ++j) {
      const int y = rows[index_of(j)];
      const bool three = last && j == 0, old = j < was;
      layout.put(x, y, Side::E, lut([=](bool n, bool e, bool, bool w) { return (n != (old && w)) != (three && e); }));
      const bool carries = j + 1 < now || (last && top_is_carry_ && j + 1 == rows_);
      if (!carries) continue;
      layout.put(x, y, Side::S, lut([=](bool n, bool e, bool, bool w) { return majority(n, old && w, three && e); }));
      const int below = j + 1 < now ? rows[index_of(j) + 1] : height_;
      if (below > y + 1) layout.wire(x, y + 1, Side::N, Side::S, below - y - 1);
    }
    return after;
  }

  /// Returns the cycles that are lost.
  int lay_move(Layout& layout, int x, const Rows& from, const Rows& to, int count) const {
    size_t first = 0, last = from.size() - 1;
    while (from[first] == to[first]) ++first;
    while (from[last] == to[last]) --last;
    const bool south = to[first] > from[first];
    for (size_t j = 0; j < index_of(live(count)); ++j) {
      const int y = from[j];
      if (j >= first && j <= last) {
        layout.wire(x, y, Side::W, south ? "SE" : "NE");
      } else if (south) {
        layout.put(x, y, Side::E, kFromW);
      } else {
        layout.wire(x, y, Side::W, j < first ? "SNE" : "NSE");
      }
    }
    return south ? 0 : 1;
  }

  /// Bits beyond the count are 0, as is whatever leaves N where it is good.
  void add_zeros(MappedKernel& kernel, int columns) const {
    int phase_turn = 0;
    while (count_of(kernel.outputs) < outputs_) {
      for (int x = 0; x < columns && count_of(kernel.outputs) < outputs_; ++x)
        if (good(x, 0, Side::N)) kernel.outputs.push_back({Side::N, x, x + 2 * phase_turn});
      ++phase_turn;
    }
  }

  const int inputs_, outputs_, bits_;
  const bool top_is_carry_;
  const int rows_, height_, most_;
  const DefectMap bad_;
  std::vector<Rows> states_;
  std::vector<std::vector<size_t>> moves_;            // [state] that one column leads to
  std::vector<std::vector<CounterReached>> reached_;  // [columns passed][state]
  size_t end_ = 0;
};

}  // namespace

std::optional<MappedKernel> counter_kernel(const std::string& name, uint32_t inputs, uint32_t outputs, const Defects& defects) {
  std::optional<MappedKernel> best;
  for (int gaps = 0; gaps <= kMostGaps; ++gaps) {
    Counter counter(inputs, outputs, defects, gaps);
    const auto columns = counter.find(best ? cells_of(*best) : INT64_MAX);
    if (!columns) continue;
    if (!best || int64_t{*columns} * counter.height() < cells_of(*best)) best = counter.lay(name, *columns);
  }
  return best;
}

}  // namespace bitgrid::mapping
