#include "lowering/mapping/matrix/row_paths.h"

#include <algorithm>
#include <climits>
#include <cstdint>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

constexpr int kEarliest = 1;  // cycles by which a row may be earlier than the words, where its weights are 0
constexpr int kSkews = 4;     // numbers of cycles between row and words that are tracked
constexpr int kNarrowWindow = 6;
constexpr int64_t kUnbounded = INT64_MAX / 2;

// Costs of a path: it should lie high, above all at its end, and leave edges to the rows below and to words.
constexpr int kPerRow = 8, kEndPerRow = 64, kCarrySouth = 2, kUpward = 1;

/// Edges that are good and that no row has taken, as bits 0 .. 3 (Side) of each cell. A margin of cells without edges lies around them, so
/// that rows may look beyond the border.
class FreeEdges {
 public:
  explicit FreeEdges(const Fabric& fabric) : pitch_(fabric.width() + 2 * kMargin) {
    bits_.resize(index_of(pitch_) * index_of(fabric.height() + 2 * kMargin));
    for (int y = 0; y < fabric.height(); ++y) {
      for (int x = 0; x < fabric.width(); ++x) {
        for (const Side s : kSides) bits_[at(x, y)] |= static_cast<uint8_t>(fabric.good(x, y, s) << index_of(s));
      }
    }
  }
  bool operator()(int x, int y, Side side) const { return (bits_[at(x, y)] >> index_of(side)) & 1u; }
  void take(int x, int y, Side side) { bits_[at(x, y)] &= static_cast<uint8_t>(~(1u << index_of(side))); }

 private:
  static constexpr int kMargin = 4;
  size_t at(int x, int y) const { return index_of((y + kMargin) * pitch_ + x + kMargin); }

  int pitch_;
  std::vector<uint8_t> bits_;
};

class Finder {
 public:
  Finder(const Fabric& fabric, const std::vector<ArrayStep>& steps, const RowPathsParams& params)
      : fabric_(fabric),
        steps_(steps),
        params_(params),
        free_(fabric),
        above_(steps.size() + 1, params.first - 1),
        above_middle_(steps.size(), params.first - 1),
        states_((steps.size() + 1) * index_of(params.window) * kSkews),
        most_(steps.size() + 1),
        fed_below_(steps.size(), INT_MAX) {
    for (size_t k = 0; k < steps.size(); ++k) {
      if (steps[k].kind == ArrayStepKind::kBlock) keep_way_for_word(k);
    }
  }

  /// The cheapest path of `row` below the rows that are placed, if it costs less than `bound`. Most find one close to the row above.
  std::optional<RowPath> find(const ArrayRow& row, size_t steps, int64_t bound, int64_t* cost) {
    // No step lies higher than just below the row above.
    int64_t rest = params_.turn ? int64_t{kEndPerRow} * (above_[steps] + 1) : 0;
    for (size_t k = steps + 1; k-- > 0;) {
      most_[k] = bound - rest;
      rest += int64_t{kPerRow} * (above_[k] + 1);
    }
    window_ = std::min(kNarrowWindow, params_.window);
    auto path = find_in_window(row, steps, cost);
    if (path || bound < kUnbounded) return path;
    window_ = params_.window;
    return find_in_window(row, steps, cost);
  }

  void place(const RowPath& path) {
    placed_end_ = path.back().y_out;
    for (size_t k = 0; k < path.size(); ++k) {
      for (const FabricEdge& e : row_edges(steps_[k], path[k])) {
        free_.take(e.x, e.y, e.side);
        lowest_ = std::max(lowest_, e.y);
      }
      above_[k] = path[k].y_in;
      above_middle_[k] = path[k].y;
    }
    above_[path.size()] = path.back().y_out;
  }

  int failed_step() const { return failed_step_; }
  int lowest() const { return lowest_; }

 private:
  std::optional<RowPath> find_in_window(const ArrayRow& row, size_t steps, int64_t* cost) {
    const auto used = static_cast<std::ptrdiff_t>((steps + 1) * index_of(window_) * kSkews);
    std::for_each(states_.begin(), states_.begin() + used, [](State& s) { s.cost = kUnreached; });
    for (int i = 0; i < window_ && above_[0] + 1 + i < params_.height; ++i) state(0, i, late_index(0, 0)).cost = 0;
    for (size_t k = 0; k < steps; ++k) {
      bool any = false;
      for (int i = 0; i < window_; ++i) {
        const int y = above_[k] + 1 + i;
        if (y >= params_.height) break;
        for (int l = 0; l < kSkews; ++l) {
          if (state(k, i, l).cost == kUnreached) continue;
          any = true;
          extend(row, k, y, steps_late(k) + l - kEarliest, state(k, i, l).cost, i * kSkews + l);
        }
      }
      if (!any) {
        failed_step_ = int_of(k == 0 ? 0 : k - 1);
        return std::nullopt;
      }
    }
    return best_end(row, steps, cost);
  }

  static constexpr int kUnreached = INT_MAX;
  struct State {
    int cost = kUnreached;
    int from = 0;  // state of the step before
    RowStep step;
  };

  State& state(size_t k, int i, int late) { return states_[(k * index_of(window_) + index_of(i)) * kSkews + index_of(late)]; }
  /// Below a defect of its column a word is fed anew, best up the northern edges of the column.
  void keep_way_for_word(size_t k) {
    int y = 0;
    while (y < params_.words_end && fabric_.good(steps_[k].x + 1, y, Side::S)) ++y;
    if (y < params_.words_end) fed_below_[k] = y;
  }
  int steps_late(size_t k) const { return k < steps_.size() ? steps_[k].late : params_.late_end; }
  int late_index(size_t k, int late) const { return late - steps_late(k) + kEarliest; }
  bool free(int x, int y, Side side) const { return free_(x, y, side); }

  void extend(const ArrayRow& row, size_t k, int y, int late, int cost, int from) {
    const ArrayStep& step = steps_[k];
    if (step.kind == ArrayStepKind::kEnd) {
      if (late == step.late && can_combine(row, step.x, y)) reach(k, {0, false, false, {}, y, y, y}, late, cost, from);
      return;
    }
    const bool counts = step.kind == ArrayStepKind::kBlock && row.counts(step.column);
    for (size_t m = 0; m < moves_.size(); ++m) {
      const RowMove& move = moves_[m];
      const int to = y + move.dy, then = late + move.late, skew = late_index(k + 1, then);
      if (skew < -1 || skew >= kSkews) continue;  // out of what is tracked, also after a move north
      if (to <= above_middle_[k] || to >= params_.height || !free(step.x, to, Side::E)) continue;
      if (!std::all_of(move.hops.begin(), move.hops.end(), [&](RowMove::Hop h) { return free(step.x, y + h.dy, h.side); })) continue;
      RowStep s{static_cast<int8_t>(m), false, false, {}, y, to, to};
      int more = 0;
      if (counts) {
        if (then != step.late && then != step.late + 1) continue;
        s.word_late = then != step.late;
        if (!free(step.x + 1, to, Side::W)) continue;
        if (s.word_late && to + 1 > fed_below_[k]) continue;
        if (s.word_late && (!fabric_.good(step.x + 1, to, Side::S) || !free(step.x + 1, to + 1, Side::N))) continue;
        s.carry = carry(move, step.x, to);
        if (!s.carry) continue;
        more = (s.word_late ? kUpward : 0) + (*s.carry == Side::S ? kCarrySouth : 0);
      }
      if (step.kind == ArrayStepKind::kPlain) {
        reach(k, s, then, cost + more, from);
        continue;
      }
      if (free(step.x + 1, to, Side::E)) reach(k, s, then, cost + more, from);
      s.north = true;
      s.y_out = to - 1;
      if (s.y_out > above_[k + 1] && to <= fed_below_[k] && free(step.x + 1, to, Side::N) && free(step.x + 1, s.y_out, Side::E))
        reach(k, s, then + 1, cost + more + kUpward, from);
    }
  }

  std::optional<Side> carry(const RowMove& move, int x, int y) {
    for (const Side out : move.carries) {
      if (free(x, y, out) && fabric_.inside(x + dx(out), y + dy(out)) && free(x + dx(out), y + dy(out), opposite(out))) return out;
    }
    return std::nullopt;
  }

  bool can_combine(const ArrayRow& row, int x, int y) {
    if (!free(x, y, Side::E) || !fabric_.good(x + 1, y, row.last_plane() ? Side::E : Side::S)) return false;
    if (row.index == 0) return true;
    if (!free(x, y, Side::N) || !fabric_.good(x, y - 1, Side::S) || !fabric_.good(x + 1, y, Side::W)) return false;
    for (int above = placed_end_ + 1; above < y; ++above) {
      if (!fabric_.good(x + 1, above, Side::S)) return false;
    }
    return true;
  }

  void reach(size_t k, const RowStep& s, int late, int cost, int from) {
    const int i = s.y_out - above_[k + 1] - 1, l = late_index(k + 1, late);
    if (i < 0 || i >= window_ || l < 0 || l >= kSkews) return;
    State& to = state(k + 1, i, l);
    cost += kPerRow * s.y_out;
    if (cost >= to.cost || cost >= most_[k + 1]) return;
    to = {cost, from, s};
    to.step.late = late;
  }

  std::optional<RowPath> best_end(const ArrayRow& row, size_t end, int64_t* cost) {
    const bool turns = params_.turn && row.last_plane();
    int best = -1;
    int64_t least = 0;
    for (int i = 0; i < window_ * kSkews; ++i) {
      const int l = i % kSkews;
      const State& s = state(end, i / kSkews, l);
      // In the corner there is time left to wait.
      if (s.cost == kUnreached || (end + index_of(params_.corner) <= steps_.size() && l != kEarliest)) continue;
      if (turns && !fabric_.good(steps_[end - 1].end_x(), s.step.y_out)) continue;
      const int64_t all = s.cost + (params_.turn ? int64_t{kEndPerRow} * s.step.y_out : 0);
      if (best < 0 || all < least) best = i, least = all;
    }
    failed_step_ = int_of(end) - 1;
    if (best < 0) return std::nullopt;
    *cost = least;
    RowPath path(end);
    int from = best;
    for (size_t k = end; k-- > 0;) {
      const State& s = state(k + 1, from / kSkews, from % kSkews);
      path[k] = s.step;
      from = s.from;
    }
    return path;
  }

  const Fabric& fabric_;
  const std::vector<ArrayStep>& steps_;
  const RowPathsParams& params_;
  const std::vector<RowMove>& moves_ = row_moves();
  FreeEdges free_;
  std::vector<int> above_;         // y of the row above before each step, and behind the last
  std::vector<int> above_middle_;  // and where it leaves the first column of each
  std::vector<State> states_;
  std::vector<int64_t> most_;   // cost of a state before each step from which on a path comes to the bound
  std::vector<int> fed_below_;  // of each block: below this y its word is fed anew
  int window_ = 0;              // rows of cells that are looked at now
  int placed_end_ = -1;
  int failed_step_ = -1;
  int lowest_ = 0;
};

}  // namespace

RowPaths find_row_paths(const Fabric& fabric, const std::vector<ArrayStep>& steps, const std::vector<ArrayRow>& rows,
                        const RowPathsParams& params) {
  RowPaths result;
  Finder finder(fabric, steps, params);
  std::vector<ArrayRow> left = rows;
  int groups = 0;  // left
  for (size_t i = 0; i < rows.size(); ++i) groups += i == 0 || rows[i].group != rows[i - 1].group;
  while (!left.empty()) {
    const bool bound = !result.rows.empty() && result.rows.back().group == left[0].group;
    size_t best = 0;
    std::optional<RowPath> path;
    int64_t least = 0;
    for (size_t i = 0, tried = 0; i < left.size() && (i == 0 || (!bound && int_of(tried) < params.candidates)); ++i) {
      if (i > 0 && left[i].group == left[i - 1].group) continue;  // only the first row of a group can come next
      ++tried;
      int64_t cost = 0;
      const bool ends = left[i].last_plane();
      const size_t corner = params.turn && ends ? index_of(std::min(params.corner, 2 * (groups - 1))) : 0;
      std::optional<RowPath> candidate =
          finder.find(left[i], steps.size() - index_of(params.corner) + corner, path ? least : kUnbounded, &cost);
      if (candidate && (!path || cost < least)) best = i, least = cost, path = std::move(candidate);
    }
    if (!path) {
      result.failed_step = finder.failed_step();
      return result;
    }
    // The rest of the group comes next.
    const ArrayRow row = left[best];
    std::rotate(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(best),
                std::find_if(left.begin() + static_cast<std::ptrdiff_t>(best), left.end(),
                             [&](const ArrayRow& r) { return r.group != row.group; }));
    left.erase(left.begin());
    finder.place(*path);
    if (row.last_plane()) --groups;
    result.rows.push_back(row);
    result.paths.push_back(std::move(*path));
  }
  result.lowest = finder.lowest();
  return result;
}

}  // namespace bitgrid::mapping
