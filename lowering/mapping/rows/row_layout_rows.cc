#include "lowering/mapping/rows/row_layout_rows.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/mapping/rows/row_layout_shift.h"

namespace bitgrid::mapping {
namespace {

using Kind = synthesis::LogicNode::Kind;

constexpr int kMostIdleRows = 64;        // one after another, because of defects
constexpr size_t kMostIdleColumns = 64;  // beyond four for each input

class RowBuilder {
 public:
  RowBuilder(const synthesis::LogicGraph& graph, const RowLayoutPlan& plan, const Columns& columns, int64_t& steps)
      : graph_(graph),
        plan_(plan),
        columns_(columns),
        steps_(steps),
        uses_(graph.nodes.size()),
        pending_(graph.nodes.size()),
        done_(graph.nodes.size()) {
    result_.exits.resize(graph.outputs.size());
    for (const uint32_t g : plan.gates) {
      ++uses_[graph.nodes[g].a / 2];
      ++uses_[graph.nodes[g].b / 2];
      pairs_[pair_of(g)].push_back(g);
    }
    for (size_t o = 0; o < graph.outputs.size(); ++o) {
      const uint32_t n = graph.outputs[o].literal / 2;
      if (n != 0) pending_[n].push_back(o);
    }
    for (const uint32_t n : plan.columns) {
      while (columns.run(count_of(next_), 0) <= plan.look_ahead) next_.push_back(kNoSignal);
      next_.push_back(int_of(n));
    }
    for (uint32_t n = 1; n < graph.nodes.size(); ++n)
      if (is_input(n) && !pending_[n].empty()) wired_.push_back(n);
  }

  /// In at least `min_width` columns.
  std::optional<RowLayoutRows> run(int min_width, int64_t limit) {
    if (next_.size() > 4 * plan_.columns.size() + kMostIdleColumns) return std::nullopt;
    next_.resize(std::max(next_.size(), index_of(min_width)), kNoSignal);
    int idle_rows = 0;
    while (!finished()) {
      if (std::max<int64_t>(1, std::ssize(next_)) * (std::ssize(result_.rows) + 1) >= limit) return std::nullopt;
      begin_row();
      const bool shift = some_must_go_west();
      if ((shift && shift_west()) || (!clear_ends() && ends_shift_west())) {
        end_row();
        continue;
      }
      if (any_ends()) return std::nullopt;
      bool progress = place_gates(false);
      if (!progress && plan_.pack) {
        begin_row();
        if (shift_west()) {
          end_row();
          continue;
        }
        clear_ends();
      }
      if (!progress && place_gates(true)) {
        progress = true;
        place_gates(false);
      }
      progress |= enter_input(!progress);
      progress |= leave_east();
      if (!progress && columns_.flawless())
        throw Error("kernel " + graph_.name, "internal error: the row layout makes no progress",
                    "this is a bug in the mapper; please report it");
      idle_rows = progress ? 0 : idle_rows + 1;
      if (idle_rows > kMostIdleRows) return std::nullopt;
      leave_columns();
      end_row();
    }
    if (result_.rows.empty()) {
      begin_row();
      end_row();
    }
    result_.width = int_of(std::max<size_t>(1, next_.size()));
    if (!leave_south()) return std::nullopt;
    if (int64_t{result_.width} * std::ssize(result_.rows) >= limit) return std::nullopt;
    return std::move(result_);
  }

 private:
  bool is_input(uint32_t n) const { return graph_.nodes[n].kind == Kind::kInput; }
  uint64_t pair_of(uint32_t gate) const {
    const uint32_t a = graph_.nodes[gate].a / 2, b = graph_.nodes[gate].b / 2;
    return (uint64_t{std::min(a, b)} << 32) | std::max(a, b);
  }
  bool needed(int n) const { return uses_[index_of(n)] > 0 || !pending_[index_of(n)].empty(); }
  int width() const { return count_of(row_.north); }
  static int& at(std::vector<int>& v, int x) { return v[index_of(x)]; }
  int y() const { return count_of(result_.rows); }
  /// A signal may run east out of column x.
  bool can_pass(int x) const { return row_.east[index_of(x)] == kNoSignal && columns_.good(x, y(), Side::E); }
  /// A signal may be in column x behind this row.
  bool lasts(int x) const { return columns_.run(x, y()) > plan_.look_ahead; }
  int west_of(int x) const { return x == 0 ? row_.west : row_.east[index_of(x - 1)]; }

  void begin_row() {
    if (next_.empty()) next_.push_back(kNoSignal);
    row_ = {};
    row_.north = row_.south = next_;
    row_.east.assign(next_.size(), kNoSignal);
    home_.clear();
    fresh_.clear();
    for (int x = 0; x < width(); ++x)
      if (at(row_.north, x) != kNoSignal) home_[at(row_.north, x)] = x;
  }

  void end_row() {
    next_ = row_.south;
    row_.late = result_.late;
    result_.late += !row_.shifts.empty();
    result_.rows.push_back(std::move(row_));
  }

  // The column of a signal ends soon, and there is none to the east to which it could go.
  bool some_must_go_west() const {
    bool vacancy = false;
    for (int x = width() - 1; x >= 0; --x) {
      const bool taken = row_.south[index_of(x)] != kNoSignal;
      if (taken && !lasts(x) && !vacancy) return true;
      vacancy |= !taken && lasts(x);
    }
    return false;
  }

  // False: there is no use, or no way for all.
  bool shift_west() {
    std::optional<ShiftRow> shift = plan_shift_row(
        row_.south, [this](int n) { return is_input(id_of(n)); }, columns_, y(), plan_.look_ahead);
    steps_ += width();
    if (!shift) return false;
    row_.shifts = std::move(shift->shifts);
    row_.south = std::move(shift->south);
    return true;
  }

  // Signals whose columns end: those at the very end of one must leave it now, others should. False: one of them cannot.
  bool clear_ends() {
    constexpr int kShould = 3;
    bool all = true;
    for (const int end : {1, kShould}) {
      for (int x = width() - 1; x >= 0; --x) {
        const int n = at(row_.south, x), run = columns_.run(x, y());
        if (n == kNoSignal || run > end || (end > 1 && lasts(x))) continue;
        const bool input = is_input(id_of(n));
        if (move_east(x, end == 1 && !input) || end > 1) continue;
        if (input) at(row_.south, x) = kNoSignal;
        all &= input;
      }
    }
    return all;
  }
  bool any_ends() const {
    for (int x = 0; x < width(); ++x)
      if (row_.south[index_of(x)] != kNoSignal && columns_.run(x, y()) < 2) return true;
    return false;
  }
  bool ends_shift_west() {
    begin_row();
    return shift_west() && !any_ends();
  }
  // Others leave early where the row has room.
  void leave_columns() {
    for (int x = width() - 1; x >= 0; --x)
      if (at(row_.south, x) != kNoSignal && !lasts(x)) move_east(x, false);
  }
  bool move_east(int x, bool may_grow) {
    const int n = at(row_.south, x);
    if (!stay_east_of(n, x, may_grow)) return false;
    at(row_.south, x) = kNoSignal;
    return true;
  }

  // The cell from which m can run east to the W side of cell x over free edges; -1: it enters W; -2: it cannot.
  int start_of(int m, int x) {
    if (west_of(x) == m) return x;
    for (int q = x - 1; q >= 0 && can_pass(q); --q) {
      ++steps_;
      if (at(row_.north, q) == m || at(row_.south, q) == m || west_of(q) == m) return q;
    }
    return -2;
  }
  int start_from_border(int m, int x) {
    if (!is_input(id_of(m)) || row_.west != kNoSignal) return -2;
    for (int q = 0; q < x; ++q)
      if (!can_pass(q)) return -2;
    return -1;
  }
  void run_east(int m, int start, int x) {
    if (start < 0) row_.west = m;
    for (int q = std::max(start, 0); q < x; ++q) at(row_.east, q) = m;
  }

  // The column where a signal that leaves cell x east can stay; -1: none without a new column.
  int free_column(int x) {
    for (int q = x; q < width(); ++q) {
      ++steps_;
      if (!can_pass(q)) return -2;
      if (q + 1 < width() && at(row_.south, q + 1) == kNoSignal && lasts(q + 1)) return q + 1;
    }
    return -1;
  }
  bool stay_east_of(int signal, int x, bool may_grow) {
    int column = free_column(x);
    if (column == -2 || (column == -1 && !may_grow)) return false;
    const int before = width();
    while (column == -1) {
      for (auto* v : {&row_.north, &row_.south, &row_.east}) v->push_back(kNoSignal);
      if (lasts(width() - 1)) {
        column = width() - 1;
      } else if (!columns_.good(width() - 1, y(), Side::E)) {
        for (auto* v : {&row_.north, &row_.south, &row_.east}) v->resize(index_of(before));
        return false;
      }
    }
    run_east(signal, x, column);
    at(row_.south, column) = signal;
    fresh_[signal] = column;
    return true;
  }

  void vacate_if_dead(int n) {
    if (needed(n)) return;
    for (const auto* places : {&home_, &fresh_})
      if (const auto place = places->find(n); place != places->end() && at(row_.south, place->second) == n)
        at(row_.south, place->second) = kNoSignal;
  }
  void mark_done(uint32_t gate) {
    done_[gate] = 1;
    ++done_count_;
    --uses_[graph_.nodes[gate].a / 2];
    --uses_[graph_.nodes[gate].b / 2];
  }

  // Computes gate (and others of the same operands) where `mover` meets `target` in the target's column.
  bool meet(uint32_t gate, int mover, int target, bool may_grow) {
    const auto home = home_.find(target);
    if (home == home_.end()) return false;
    const int x = home->second;
    int start = start_of(mover, x);
    if (start == -2) start = start_from_border(mover, x);
    if (start == -2) return false;
    std::vector<uint32_t> group{gate};
    for (const uint32_t g : pairs_.at(pair_of(gate)))
      if (!done_[g] && g != gate) group.push_back(g);
    const int after = uses_[index_of(target)] - count_of(group);
    const bool target_dies = after == 0 && pending_[index_of(target)].empty() && at(row_.south, x) == target;
    size_t placed = 0;
    const bool in_place = target_dies && group.size() <= 2 && columns_.run(x, y()) > 1;
    if (in_place) {
      if (group.size() == 2) {
        // One result stays, the other goes on: undo nothing, so try the one that may fail first.
        if (!stay_east_of(int_of(group[1]), x, may_grow)) return false;
      }
      at(row_.south, x) = int_of(gate);
      fresh_[int_of(gate)] = x;
      placed = group.size();
    } else {
      if (!stay_east_of(int_of(gate), x, may_grow)) return false;
      placed = 1;
    }
    run_east(mover, start, x);
    for (size_t k = 0; k < placed; ++k) mark_done(group[k]);
    vacate_if_dead(mover);
    vacate_if_dead(target);
    return true;
  }

  bool place_gates(bool may_grow) {
    bool any = false, again = true;
    while (again) {
      again = false;
      while (first_ < plan_.gates.size() && done_[plan_.gates[first_]]) ++first_;
      size_t seen = 0;
      for (size_t k = first_; k < plan_.gates.size() && seen < plan_.window; ++k) {
        const uint32_t g = plan_.gates[k];
        if (done_[g]) continue;
        ++seen;
        ++steps_;
        const int a = int_of(graph_.nodes[g].a / 2), b = int_of(graph_.nodes[g].b / 2);
        if (meet(g, a, b, may_grow) || meet(g, b, a, may_grow)) {
          any = again = true;
          if (may_grow) return true;  // a column more, and then on without
        }
      }
    }
    return any;
  }

  bool ready(uint32_t n) const { return is_input(n) || done_[n]; }

  // An input that a gate waits for takes a free column; a new one if nothing else gets on.
  bool enter_input(bool may_grow) {
    if (row_.west != kNoSignal) return false;
    size_t seen = 0;
    for (size_t k = first_; k < plan_.gates.size() && seen < plan_.window; ++k) {
      const uint32_t g = plan_.gates[k];
      if (done_[g]) continue;
      ++seen;
      const uint32_t a = graph_.nodes[g].a / 2, b = graph_.nodes[g].b / 2;
      if (!ready(a) || !ready(b)) continue;
      for (const uint32_t n : {a, b}) {
        if (!is_input(n) || home_.contains(int_of(n))) continue;
        // Worth a column if it is used again, or if its partner is not in one either.
        const uint32_t other = n == a ? b : a;
        if (uses_[n] < 2 && !(is_input(other) && !home_.contains(int_of(other))) && !may_grow) continue;
        if (take_column(int_of(n), may_grow)) return true;
      }
    }
    return false;
  }
  bool take_column(int n, bool may_grow) {
    if (width() > 0 && at(row_.south, 0) == kNoSignal && lasts(0)) {
      row_.west = n;
      at(row_.south, 0) = n;
      return true;
    }
    if (!stay_east_of(n, 0, may_grow)) return false;
    row_.west = n;
    return true;
  }

  // An output leaves over the free end of the row; an input that is an output crosses a row that is free.
  bool leave_east() {
    int x = width();
    while (x > 0 && can_pass(x - 1)) --x;
    for (int q = width() - 1; q >= x; --q) {
      const int n = at(row_.south, q);
      if (n == kNoSignal || pending_[index_of(n)].empty()) continue;
      exit_east(n, q);
      return true;
    }
    if (x > 0 || row_.west != kNoSignal) return false;
    for (const uint32_t n : wired_) {
      if (pending_[n].empty()) continue;
      row_.west = int_of(n);
      exit_east(int_of(n), 0);
      return true;
    }
    return false;
  }
  void exit_east(int n, int from) {
    for (int q = from; q < width(); ++q) at(row_.east, q) = n;
    result_.exits[pending_[index_of(n)].back()] = {Side::E, count_of(result_.rows)};
    pending_[index_of(n)].pop_back();
    if (!needed(n) && at(row_.south, from) == n) at(row_.south, from) = kNoSignal;
  }

  // Whether all that is left are outputs that stand in columns of their own.
  bool finished() const {
    if (done_count_ < plan_.gates.size()) return false;
    std::vector<int> columns(graph_.nodes.size());
    for (const int n : next_)
      if (n != kNoSignal) ++columns[index_of(n)];
    for (uint32_t n = 1; n < graph_.nodes.size(); ++n)
      if (count_of(pending_[n]) > columns[n]) return false;
    return true;
  }
  // False: a constant output finds no good edge.
  bool leave_south() {
    for (size_t x = 0; x < next_.size(); ++x) {
      if (next_[x] == kNoSignal || pending_[index_of(next_[x])].empty()) continue;
      auto& pending = pending_[index_of(next_[x])];
      result_.exits[pending.back()] = {Side::S, int_of(x)};
      pending.pop_back();
    }
    for (size_t o = 0; o < graph_.outputs.size(); ++o) {
      if (graph_.outputs[o].literal / 2 != 0) continue;
      RowExit& exit = result_.exits[o];
      exit.side = graph_.outputs[o].literal == synthesis::kTrue ? Side::W : Side::N;
      const int end = exit.side == Side::W ? y() : result_.width;
      while (exit.position < end &&
             !columns_.good(exit.side == Side::W ? 0 : exit.position, exit.side == Side::W ? exit.position : 0, exit.side))
        ++exit.position;
      if (exit.position == end) return false;
    }
    return true;
  }

  const synthesis::LogicGraph& graph_;
  const RowLayoutPlan& plan_;
  const Columns& columns_;
  int64_t& steps_;
  std::vector<int> uses_;                     // by gates that are not done
  std::vector<std::vector<size_t>> pending_;  // outputs of a node that have not left
  std::vector<uint8_t> done_;
  std::unordered_map<uint64_t, std::vector<uint32_t>> pairs_;  // gates by their operands
  std::vector<uint32_t> wired_;                                // inputs that are outputs
  size_t done_count_ = 0, first_ = 0;
  std::vector<int> next_;  // signals that enter the next row from N
  LayoutRow row_;
  std::unordered_map<int, int> home_;   // columns of the signals at the row's start
  std::unordered_map<int, int> fresh_;  // columns that signals took in this row
  RowLayoutRows result_;
};

bool exits_are_good(const RowLayoutRows& layout, const Columns& columns) {
  return std::all_of(layout.exits.begin(), layout.exits.end(), [&](const RowExit& exit) {
    if (exit.side != Side::E) return true;
    int x = count_of(layout.rows[index_of(exit.position)].east);
    while (x < layout.width && columns.good(x, exit.position, Side::E)) ++x;
    return x == layout.width;
  });
}

}  // namespace

std::optional<RowLayoutRows> row_layout_rows(const synthesis::LogicGraph& graph, const RowLayoutPlan& plan, const Columns& columns,
                                             int64_t limit, int64_t& steps) {
  // Outputs that have left east cross the columns that come later: if one of these is bad there, they all stand from the start.
  constexpr int kTries = 3;
  int width = 0;
  for (int i = 0; i < kTries; ++i) {
    std::optional<RowLayoutRows> rows = RowBuilder(graph, plan, columns, steps).run(width, limit);
    if (!rows || exits_are_good(*rows, columns)) return rows;
    width = rows->width;
  }
  return std::nullopt;
}

}  // namespace bitgrid::mapping
