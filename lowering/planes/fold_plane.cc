#include "lowering/planes/fold_plane.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "ir/kernel_defects.h"
#include "lowering/defects/columns.h"
#include "lowering/stamps/layout.h"

namespace bitgrid {
namespace {

constexpr int kNone = -1;
constexpr int kWindow = 256;        // terms that are looked at for each row: the first so many in order that are left
constexpr int kMostIdleRows = 100;  // one after another
constexpr int kLastRows = 2;        // rows that a column must go on for a signal to enter it
constexpr int kSoon = 8;            // rows before the end of its column in which a sum looks for another

Lut invert(Lut t) {
  return static_cast<Lut>(~t);
}

/// How a term lies in a row.
struct Placement {
  size_t cube = 0;
  int from_west = kNone;  // the input that enters W, if any
  int first = 0;          // columns of its first literal (0 if that enters W) and of its last output
  int last = 0;
  std::vector<std::pair<uint32_t, int>> begins;  // sums and the columns that they take
  int64_t cost = 0;
};

/// What is tried in one order of the terms or another.
struct Weights {
  int begin = 0;  // of a term that begins a sum, in columns of its span
  int end = 0;    // ends one
};

class PlaneLayout {
 public:
  PlaneLayout(const Esop& esop, const Columns& columns, int input_columns, int output_columns, std::vector<size_t> order,
              const Weights& weights)
      : esop_(esop),
        columns_(columns),
        inputs_end_(input_columns),
        width_(input_columns + output_columns),
        weights_(weights),
        left_(std::move(order)),
        input_at_(static_cast<size_t>(width_), kNone),
        output_at_(static_cast<size_t>(width_), kNone),
        column_of_(esop.inputs, kNone),
        sum_at_(esop.outputs, kNone),
        left_of_output_(esop.outputs),
        exits_(esop.outputs) {
    for (const Cube& cube : esop.cubes) {
      for (uint32_t o = 0; o < esop.outputs; ++o) left_of_output_[o] += cube.outputs.get(o);
    }
  }

  /// False: a signal finds no way, or the rows reach `limit` cells. Counts its steps.
  bool run(int64_t limit, int64_t& steps) {
    place_inputs();
    if (!place_constants()) return false;
    int idle = 0;
    while (!left_.empty() || rows_.empty()) {
      if (int64_t{width_} * (y() + 1) >= limit || idle > kMostIdleRows) return false;
      begin_row();
      if (shift_west()) {
        ++idle_rows_;
        rows_.push_back(std::move(row_));
        continue;
      }
      if (!clear_ends()) return false;
      steps += static_cast<int64_t>(std::min<size_t>(left_.size(), kWindow)) * (esop_.inputs + esop_.outputs + 1);
      const bool progress = place_term() || left_.empty();
      const bool entered = enter_input();
      for (int x = width_ - 1; x >= inputs_end_; --x) {
        if (output_at_[static_cast<size_t>(x)] != kNone && ends_soon(x)) move_sum(x);
      }
      leave_east();
      for (const int x : ending_) column_of_[static_cast<size_t>(std::exchange(input_at_[static_cast<size_t>(x)], kNone))] = kNone;
      if (!progress && !entered && clean_row()) return false;
      idle = progress || entered ? 0 : idle + 1;
      idle_rows_ += !progress;
      rows_.push_back(std::move(row_));
    }
    return true;
  }

  int idle_rows() const { return idle_rows_; }

  MappedKernel kernel(const std::string& name) const {
    MappedKernel kernel;
    kernel.name = name;
    kernel.strategy = "plane";
    kernel.input_bits = esop_.inputs;
    kernel.output_bits = esop_.outputs;
    kernel.grid = GridConfig(width_, static_cast<int>(rows_.size()));
    for (int row = 0; row < kernel.grid.height; ++row) {
      for (int x = 0; x < width_; ++x) kernel.grid.at(x, row) = cell_word(rows_[static_cast<size_t>(row)].cells[static_cast<size_t>(x)]);
    }
    kernel.inputs = inputs_;
    // What no term reads stands at ports that nothing reads.
    for (size_t k = 0; k < unread_.size(); ++k) {
      const int row = static_cast<int>(k) % kernel.grid.height, turn = static_cast<int>(k) / kernel.grid.height;
      const Side side = turn == 0 ? Side::E : Side::S;
      const int position = turn == 0 ? row : turn - 1;
      const int x = turn == 0 ? width_ - 1 : position, at_y = turn == 0 ? position : kernel.grid.height - 1;
      kernel.inputs.push_back({unread_[k], {side, position, x + at_y}, 1});
    }
    kernel.outputs.resize(esop_.outputs);
    for (uint32_t o = 0; o < esop_.outputs; ++o) {
      const int x = sum_at_[o];
      if (exits_[o]) {
        kernel.outputs[o] = *exits_[o];
        continue;
      }
      kernel.outputs[o] = {Side::S, x, x + kernel.grid.height - 1 + 2 * late_};
    }
    return kernel;
  }

 private:
  struct Row {
    std::vector<std::array<Lut, 4>> cells;
    std::vector<uint8_t> east;  // taken
    int west = kNone;           // input that enters W
  };

  int y() const { return static_cast<int>(rows_.size()); }
  /// Nothing bad in this row or soon below it: what finds no room here finds none further south.
  bool clean_row() const {
    for (int x = 0; x < width_; ++x) {
      if (!columns_.good(x, y(), Side::E) || ends_soon(x)) return false;
    }
    return true;
  }
  bool can_pass(int x) const { return !row_.east[static_cast<size_t>(x)] && columns_.good(x, y(), Side::E); }
  int run_of(int x) const { return columns_.run(x, y()); }
  bool vacant(int x) const { return input_at_[static_cast<size_t>(x)] == kNone && output_at_[static_cast<size_t>(x)] == kNone; }
  Lut& table(int x, Side side) { return row_.cells[static_cast<size_t>(x)][static_cast<size_t>(side)]; }

  /// Inputs stand where columns go on longest; the one in the fewest terms has none. All enter N.
  void place_inputs() {
    std::vector<uint32_t> inputs(esop_.inputs);
    std::iota(inputs.begin(), inputs.end(), 0u);
    std::vector<int> uses(esop_.inputs);
    for (const Cube& cube : esop_.cubes) {
      for (uint32_t i = 0; i < esop_.inputs; ++i) uses[i] += static_cast<int>((cube.care >> i) & 1u);
    }
    std::stable_sort(inputs.begin(), inputs.end(), [&](uint32_t a, uint32_t b) { return uses[a] > uses[b]; });
    std::vector<int> places(static_cast<size_t>(inputs_end_));
    std::iota(places.begin(), places.end(), 0);
    std::stable_sort(places.begin(), places.end(), [&](int a, int b) { return columns_.run(a, 0) > columns_.run(b, 0); });
    places.resize(std::min(places.size(), inputs.size()));
    // Inputs of many terms stand furthest east: terms that lack them begin further west, those of few literals further east.
    std::sort(places.begin(), places.end());
    for (size_t k = 0; k < places.size(); ++k) {
      const uint32_t i = inputs[places.size() - 1 - k];
      const int x = places[k];
      inputs_.push_back({i, {Side::N, x, x}, 1});
      if (columns_.run(x, 0) > 1) stand(i, x);
    }
    for (size_t k = places.size(); k < inputs.size(); ++k) {
      if (uses[inputs[k]] == 0) unread_.push_back(inputs[k]);
    }
  }
  void stand(uint32_t input, int x) {
    input_at_[static_cast<size_t>(x)] = static_cast<int>(input);
    column_of_[input] = x;
  }

  /// Outputs without terms; the others take a column with their first term.
  bool place_constants() {
    int x = inputs_end_;
    for (uint32_t o = 0; o < esop_.outputs; ++o) {
      if (left_of_output_[o] > 0) continue;
      while (x < width_ && (!vacant(x) || columns_.run(x, 0) < 2)) ++x;
      if (x == width_) return false;
      begin_sum(o, x);
    }
    return true;
  }
  void begin_sum(uint32_t o, int x) {
    output_at_[static_cast<size_t>(x)] = static_cast<int>(o);
    sum_at_[o] = x;
  }

  void begin_row() {
    row_ = {};
    row_.cells.resize(static_cast<size_t>(width_));
    row_.east.resize(static_cast<size_t>(width_));
    for (int x = 0; x < width_; ++x) {
      if (input_at_[static_cast<size_t>(x)] != kNone) table(x, Side::S) = kFromN;
      if (const int o = output_at_[static_cast<size_t>(x)]; o != kNone)
        table(x, Side::S) = y() > 0 ? kFromN : esop_.complement.get(static_cast<uint32_t>(o)) ? Lut{0xFFFF} : Lut{0};  // a constant above
    }
  }

  /// Signals whose columns end: sums leave them now, inputs are in them for the last time.
  bool clear_ends() {
    ending_.clear();
    for (int x = width_ - 1; x >= 0; --x) {
      if (vacant(x) || run_of(x) > 1) continue;
      if (input_at_[static_cast<size_t>(x)] != kNone) {
        table(x, Side::S) = 0;
        ending_.push_back(x);
      } else if (!move_sum(x)) {
        return false;
      }
    }
    return true;
  }
  /// A sum that is complete leaves over the end of the row.
  void leave_east() {
    int free = width_;
    while (free > 0 && can_pass(free - 1)) --free;
    for (int x = std::max(free, inputs_end_); x < width_; ++x) {
      const int o = output_at_[static_cast<size_t>(x)];
      if (o == kNone || left_of_output_[static_cast<size_t>(o)] > 0) continue;
      table(x, Side::E) = std::exchange(table(x, Side::S), Lut{0});
      for (int q = x + 1; q < width_; ++q) table(q, Side::E) = kFromW;
      for (int q = x; q < width_; ++q) row_.east[static_cast<size_t>(q)] = 1;
      output_at_[static_cast<size_t>(x)] = kNone;
      exits_[static_cast<size_t>(o)] = BitSlot{Side::E, y(), width_ - 1 + y() + 2 * late_};
      return;
    }
  }

  bool ends_soon(int x) const { return run_of(x) <= kSoon; }

  /// A row without a term in which sums move west, when one must leave its column and there is a vacant one only there. A hop west costs a
  /// cycle, which all others lose by a hop to a neighbour and back. False: there is no need, or the row has defects in the way.
  bool shift_west() {
    for (int x = inputs_end_ + 1; x < width_; ++x) {
      if (output_at_[static_cast<size_t>(x)] == kNone || !ends_soon(x)) continue;
      bool other = false;
      for (int q = x + 1; q < width_; ++q) other |= vacant(q) && run_of(q) > run_of(x);
      if (other) continue;
      int gap = x - 1;
      while (gap >= inputs_end_ && !vacant(gap)) --gap;
      if (gap >= inputs_end_ && shift_into(gap, x)) return true;
    }
    return false;
  }
  bool shift_into(int gap, int x) {
    const auto good = [&](int c, Side side) { return columns_.good(c, y(), side); };
    for (int c = 0; c < width_; ++c) {
      if (vacant(c)) continue;
      const bool moves = c > gap && c <= x;
      const int stays_at = moves ? c - 1 : c;
      if (run_of(stays_at) < 2) return false;
      if (moves ? !good(c, Side::W) : c < gap ? !good(c, Side::E) || !good(c + 1, Side::W) : !good(c, Side::W) || !good(c - 1, Side::E))
        return false;
    }
    std::vector<std::array<Lut, 4>> cells(static_cast<size_t>(width_));
    const auto put = [&](int c, Side side, Lut t) { cells[static_cast<size_t>(c)][static_cast<size_t>(side)] = t; };
    for (int c = 0; c < width_; ++c) {
      if (vacant(c)) continue;
      const Lut signal = table(c, Side::S);
      const Side out = c < gap ? Side::E : Side::W;
      put(c, out, signal);
      if (c > gap && c <= x) {
        put(c - 1, Side::S, kFromE);
      } else {
        put(c + dx(out), opposite(out), kCopy[static_cast<size_t>(opposite(out))]);
        put(c, Side::S, kCopy[static_cast<size_t>(out)]);
      }
    }
    row_.cells = std::move(cells);
    for (int c = gap + 1; c <= x; ++c) {
      const auto to = static_cast<size_t>(c - 1), from = static_cast<size_t>(c);
      output_at_[to] = std::exchange(output_at_[from], kNone);
      if (output_at_[to] != kNone) sum_at_[static_cast<size_t>(output_at_[to])] = c - 1;
    }
    ++late_;
    return true;
  }

  bool move_sum(int x) {
    int best = kNone;
    for (int q = x; q + 1 < width_ && can_pass(q); ++q) {
      if (vacant(q + 1) && run_of(q + 1) > run_of(x) && (best == kNone || run_of(q + 1) > run_of(best))) best = q + 1;
    }
    if (best == kNone) return false;
    const auto o = static_cast<size_t>(output_at_[static_cast<size_t>(x)]);
    table(x, Side::E) = std::exchange(table(x, Side::S), Lut{0});
    for (int q = x; q < best; ++q) {
      row_.east[static_cast<size_t>(q)] = 1;
      if (q > x) table(q, Side::E) = kFromW;
    }
    table(best, Side::S) = kFromW;
    output_at_[static_cast<size_t>(x)] = kNone;
    output_at_[static_cast<size_t>(best)] = static_cast<int>(o);
    sum_at_[o] = best;
    return true;
  }

  /// nullopt: the term cannot lie in this row.
  std::optional<Placement> fit(size_t cube_index) const {
    const Cube& cube = esop_.cubes[cube_index];
    Placement p{cube_index, kNone, width_, 0, {}, 0};
    for (uint32_t care = cube.care; care != 0; care &= care - 1) {
      const auto i = static_cast<uint32_t>(std::countr_zero(care));
      const int x = column_of_[i];
      if (x != kNone) {
        p.first = std::min(p.first, x);
        continue;
      }
      if (p.from_west != kNone) return std::nullopt;
      p.from_west = static_cast<int>(i);
    }
    if (p.from_west != kNone) p.first = 0;
    const auto leads_to = [&](int x) {
      p.last = std::max(p.last, x);
      if (cube.care == 0) p.first = std::min(p.first, x);
    };
    int vacancy = inputs_end_;
    for (uint32_t o = 0; o < esop_.outputs; ++o) {
      if (!cube.outputs.get(o)) continue;
      p.cost -= left_of_output_[o] == 1 ? weights_.end : 0;
      if (sum_at_[o] != kNone) {
        if (!sum_stays(sum_at_[o])) return std::nullopt;
        leads_to(sum_at_[o]);
        continue;
      }
      while (vacancy < width_ && (!vacant(vacancy) || ends_soon(vacancy) || !sum_stays(vacancy))) ++vacancy;
      if (vacancy == width_) return std::nullopt;
      p.begins.emplace_back(o, vacancy);
      p.cost += weights_.begin;
      leads_to(vacancy++);
    }
    if (p.first > p.last) p.last = p.first;
    for (int x = p.first; x < p.last; ++x) {
      if (!can_pass(x)) return std::nullopt;
    }
    p.cost += p.first - p.last - (p.from_west != kNone ? width_ : 0);
    return p;
  }
  /// A sum that has just moved here enters W itself.
  bool sum_stays(int x) const { return x == 0 || !row_.east[static_cast<size_t>(x - 1)]; }

  /// Rows with defects take what is short; others what spans most, or needs an input from W.
  bool place_term() {
    std::optional<Placement> best;
    size_t at = 0;
    for (size_t k = 0; k < left_.size() && k < kWindow; ++k) {
      auto p = fit(left_[k]);
      if (!p) continue;
      if (!best || p->cost < best->cost) best = p, at = k;
    }
    if (!best) return false;
    lay(*best);
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }

  void lay(const Placement& p) {
    const Cube& cube = esop_.cubes[p.cube];
    const auto literal = [&](int input, Lut from) { return (cube.value >> input) & 1u ? from : invert(from); };
    std::vector<uint8_t> adds(static_cast<size_t>(width_));
    for (const auto& [o, x] : p.begins) {
      begin_sum(o, x);
      table(x, Side::S) = esop_.complement.get(o) ? Lut{0xFFFF} : Lut{0};
    }
    for (uint32_t o = 0; o < esop_.outputs; ++o) {
      if (!cube.outputs.get(o)) continue;
      adds[static_cast<size_t>(sum_at_[o])] = 1;
      --left_of_output_[o];
    }
    if (p.from_west != kNone) use_west(p.from_west);
    for (int x = p.first; x <= p.last; ++x) {
      Lut term = x > p.first ? kFromW : p.from_west != kNone ? literal(p.from_west, kFromW) : Lut{0xFFFF};
      if (const int i = input_at_[static_cast<size_t>(x)]; i != kNone && ((cube.care >> i) & 1u)) term &= literal(i, kFromN);
      if (adds[static_cast<size_t>(x)]) table(x, Side::S) ^= term;
      if (x == p.last) break;
      table(x, Side::E) = term;
      row_.east[static_cast<size_t>(x)] = 1;
    }
  }
  void use_west(int input) {
    row_.west = input;
    inputs_.push_back({static_cast<uint32_t>(input), {Side::W, y(), y() + 2 * late_}, 1});
  }

  /// An input that has no column comes back into one: that of the most terms that are left.
  bool enter_input() {
    if (row_.west == kNone) {
      std::vector<int> uses(esop_.inputs);
      for (size_t k = 0; k < left_.size() && k < kWindow; ++k) {
        const uint32_t care = esop_.cubes[left_[k]].care;
        for (uint32_t i = 0; i < esop_.inputs; ++i) uses[i] += static_cast<int>((care >> i) & 1u);
      }
      int input = kNone, absent = 0;
      for (size_t i = 0; i < esop_.inputs; ++i) {
        if (!absent_next(static_cast<int>(i)) || uses[i] == 0) continue;
        ++absent;
        if (input == kNone || uses[i] > uses[static_cast<size_t>(input)]) input = static_cast<int>(i);
      }
      if (absent < 2) return false;
      row_.west = input;
    }
    return enter_column(static_cast<uint32_t>(row_.west));
  }
  bool absent_next(int input) const {
    const int x = column_of_[static_cast<size_t>(input)];
    return x == kNone || std::find(ending_.begin(), ending_.end(), x) != ending_.end();
  }
  /// From W over edges that are free, or that carry a term which starts with the input itself.
  bool enter_column(uint32_t input) {
    const bool entered = !inputs_.empty() && inputs_.back().slot == BitSlot{Side::W, y(), y() + 2 * late_} && inputs_.back().bit == input;
    int best = kNone;
    for (int x = 0; x < inputs_end_; ++x) {
      if (vacant(x) && run_of(x) > kLastRows && (best == kNone || run_of(x) > run_of(best))) best = x;
      if (!can_pass(x)) break;
    }
    if (best == kNone) {
      if (!entered) row_.west = kNone;
      return false;
    }
    for (int x = 0; x < best; ++x) {
      table(x, Side::E) = kFromW;
      row_.east[static_cast<size_t>(x)] = 1;
    }
    table(best, Side::S) = kFromW;
    if (!entered) use_west(static_cast<int>(input));
    if (const int old = column_of_[input]; old != kNone) {
      input_at_[static_cast<size_t>(old)] = kNone;
      std::erase(ending_, old);
    }
    stand(input, best);
    return true;
  }

  const Esop& esop_;
  const Columns& columns_;
  const int inputs_end_, width_;
  const Weights weights_;
  std::vector<size_t> left_;                   // terms
  std::vector<int> input_at_, output_at_;      // by column
  std::vector<int> column_of_, sum_at_;        // by input, by output
  std::vector<int> left_of_output_;            // terms
  std::vector<std::optional<BitSlot>> exits_;  // of sums that have left
  Row row_;
  std::vector<Row> rows_;
  std::vector<InputSlot> inputs_;
  std::vector<uint32_t> unread_;  // inputs
  std::vector<int> ending_;       // columns of inputs that are in them for the last time
  int idle_rows_ = 0;
  int late_ = 0;  // cycles by which everything is late behind the last row
};

}  // namespace

std::optional<MappedKernel> fold_plane(const std::string& name, const Esop& esop, const Defects& defects, const FoldParams& params,
                                       FoldStats* stats) {
  const Columns columns(defects);
  std::mt19937_64 random(params.seed);
  std::optional<MappedKernel> best;
  int64_t steps = 0;
  std::vector<size_t> order(esop.cubes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const int inputs = std::max(0, static_cast<int>(esop.inputs) - 1), outputs = static_cast<int>(esop.outputs);
  static constexpr Weights kWeights[] = {{0, 0}, {4, 4}, {16, 16}, {64, 64}};
  for (int sums = 1; sums <= outputs + params.spare_columns; ++sums) {
    for (int among_inputs = 0; among_inputs <= params.spare_columns; ++among_inputs) {
      for (int i = 0; i < params.tries; ++i) {
        const int64_t limit = best ? static_cast<int64_t>(best->grid.cells.size()) : INT64_MAX;
        const int64_t width = inputs + among_inputs + sums;
        if (width * static_cast<int64_t>(std::max<size_t>(1, esop.cubes.size())) >= limit) break;
        if (best && steps > params.effort) return best;
        if (i >= 4) std::shuffle(order.begin(), order.end(), random);
        PlaneLayout layout(esop, columns, inputs + among_inputs, sums, order, kWeights[i % 4]);
        if (stats) ++stats->tries;
        if (!layout.run(limit, steps)) continue;
        MappedKernel kernel = layout.kernel(name);
        if (first_defect_used(kernel, defects)) continue;
        best = std::move(kernel);
        if (stats) stats->width = best->grid.width, stats->height = best->grid.height, stats->idle_rows = layout.idle_rows();
      }
    }
  }
  return best;
}

}  // namespace bitgrid
