#include "lowering/mapping/matrix/row_end_detours.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "ir/index.h"
#include "lowering/mapping/matrix/delayed_taps.h"

namespace bitgrid::mapping {
namespace {

constexpr int kMostCornerRows = 12;
constexpr int kMostCornerLate = 4;
constexpr int kMostGap = 40;  // columns between two strips
constexpr int kNoPlace = INT_MAX;

class RowEndFinder {
 public:
  RowEndFinder(LayoutAttempt& attempt, const ArrayDetours& array)
      : attempt_(attempt),
        options_(attempt.options),
        form_(attempt.form),
        stamps_(attempt.stamps),
        fabric_(attempt.fabric),
        plan_(attempt.plan),
        array_(array) {}

  std::optional<RowEnds> lay() {
    plan_.strip_y = stamps_.words_only ? 0 : lowest_end() + 1 + options_.corner_rows;
    ends_.bottom = plan_.strip_y + stamps_.rows();
    int x = array_.end_x, left = attempt_.groups();
    for (const int group : groups_from_south()) {
      const auto column = next_column(x, left--);
      if (!column || !strip_fits(group, *column)) {
        no_room(group, x, false);
        return std::nullopt;
      }
      place(group, *column);
      plan_.strips.push_back({group, *column});
      x = *column + 2;
    }
    fabric_.trim(x + 1, std::max(array_.lowest + 1, ends_.bottom));
    keep_ways();
    if (!stamps_.words_only && !lay_wires()) return std::nullopt;
    return std::move(ends_);
  }

  bool connect(const RowEnds& ends) {
    ends_ = ends;
    plan_.sums.resize(form_.groups.size());
    plan_.results.resize(form_.groups.size());
    bool ok = true;
    for (const Lane& lane : stamps_.lanes()) ok = connect_lane(lane) && ok;
    for (size_t i = 0; i < plan_.strips.size(); ++i) {
      for (const FabricEdge& e : ways_south(plan_.strips[i])) fabric_.release(e);
      ok = connect_feeds(plan_.strips[i]) && connect_operands(i) && connect_results(i) && ok;
    }
    return ok;
  }

 private:
  std::vector<int> groups_from_south() const {
    std::vector<int> groups;
    for (size_t r = plan_.rows.size(); r-- > 0;) {
      if (plan_.rows[r].last_plane()) groups.push_back(plan_.rows[r].group);
    }
    for (int g = attempt_.groups() - 1; g >= 0 && stamps_.words_only; --g) groups.push_back(g);
    return groups;
  }

  int lowest_end() const {
    int y = 0;
    for (int g = 0; g < attempt_.groups(); ++g) y = std::max(y, row_end(plan_, g).y);
    return y;
  }

  void no_room(int group, int x, bool fits) {
    // More time for detours, then more room, or another place.
    if (fits && x > array_.end_x && options_.corner_late < kMostCornerLate) {
      attempt_.next.corner_late += 2;
    } else if (fits && options_.no_strips.size() % 4 != 3) {
      attempt_.next.no_strips.insert(x);
    } else {
      ++attempt_.next.corner_rows;
      attempt_.next.no_strips.clear();  // they were those of other rows of cells
    }
    attempt_.fail(fmt::format("no {} for the row end of output {} from column {} on, rows {} .. {}", fits ? "way" : "place", group, x,
                              plan_.strip_y, ends_.bottom - 1),
                  fits || options_.corner_rows < kMostCornerRows);
  }
  /// Returns false.
  bool not_here(const Strip& s, const std::string& why) {
    attempt_.next.no_strips.insert(s.left);
    return attempt_.fail(why, true);
  }

  /// Reserves what lanes and results would miss.
  void keep_ways() {
    for (const int y : lane_rows()) {
      for (int x = std::max(0, plan_.strips.front().left - 1); x < plan_.strips.back().left; ++x) {
        if (fabric_.free(x, y, Side::E)) fabric_.reserve({x, y, Side::E});
      }
    }
    for (const Strip& s : plan_.strips) {
      for (const FabricEdge& e : ways_south(s)) {
        if (fabric_.free(e.x, e.y, e.side)) fabric_.reserve(e);
      }
      for (const StripFeed& feed : stamps_.feeds) {
        if (fabric_.height() == ends_.bottom) fabric_.take_port({s.left + feed.column, ends_.bottom - 1, Side::S, ""}, 0);
      }
    }
  }

  /// Edges between a strip and the south border for its result and its streams from there.
  std::vector<FabricEdge> ways_south(const Strip& s) const {
    std::vector<FabricEdge> edges;
    for (int y = ends_.bottom; y < fabric_.height(); ++y) {
      edges.push_back({s.left + stamps_.result_column(), y, Side::S});
      for (const StripFeed& feed : stamps_.feeds) edges.push_back({s.left + feed.column, y, Side::N});
    }
    return edges;
  }

  std::vector<int> lane_rows() const {
    std::vector<int> rows;
    for (const Lane& lane : stamps_.lanes()) rows.push_back(plan_.strip_y + lane.row);
    return rows;
  }

  /// From the row ends to the strips: the northernmost row first, each as far north as it can be, so that copies find room below.
  bool lay_wires() {
    ends_.adders.resize(plan_.strips.size());
    std::vector<FabricWire> wires(plan_.strips.size());
    for (size_t i = plan_.strips.size(); i-- > 0;) {
      const Strip& s = plan_.strips[i];
      const PathEnd row = row_end(plan_, s.group);
      std::optional<FabricWire> wire;
      if (stamps_.adds_word) {
        for (int y = row.y; y + 1 < plan_.strip_y && !wire; ++y) wire = lay_adders(i, row, y);
      } else {
        wire = find_way(row.x, row.y, Side::W, {s.left + 1, plan_.strip_y - 1, Side::S}, lost(row));
      }
      if (!wire) {
        no_room(s.group, s.left, true);
        return false;
      }
      attempt_.lay(*wire);
      wires[i] = *wire;
    }
    return stamps_.copy_late == 0 || lay_copies(wires);
  }

  /// Column L of the first of `left` strips from column `from` on, so that stamps and marker lanes find good cells and the last strip ends
  /// as far west as can be.
  std::optional<int> next_column(int from, int left) {
    if (rated_.empty()) rate_places();
    const std::vector<int>& rated = rated_[index_of(left)];
    int best = kNoPlace, column = from;
    for (int x = from; x <= from + kMostGap && x + 3 <= fabric_.width(); ++x) {
      if (x > array_.end_x && x > from && !enters_[index_of(x)]) continue;
      if (rated[index_of(x)] < best) best = rated[index_of(x)], column = x;
    }
    if (best == kNoPlace) return std::nullopt;
    return column;
  }

  /// Where the last of a number of strips stands at best if the first of them begins at column L: from the places of the one behind it.
  void rate_places() {
    look_for_places();
    const auto width = index_of(fabric_.width());
    rated_.assign(form_.groups.size() + 1, std::vector<int>(width, kNoPlace));
    for (size_t left = 1; left < rated_.size(); ++left) {
      for (size_t x = 0; x + 3 <= width; ++x) {
        if (!fits_[x]) continue;
        int& end = rated_[left][x];
        if (left == 1) end = int_of(x);
        for (size_t next = x + 2; left > 1 && next <= x + 2 + kMostGap && next + 3 <= width; ++next) {
          if (next == x + 2 || enters_[next]) end = std::min(end, rated_[left - 1][next]);
        }
      }
    }
  }

  /// Where a strip fits, and where marker lanes can enter again.
  void look_for_places() {
    const std::vector<int> lanes = lane_rows();
    for (int x = 0; x < fabric_.width(); ++x) {
      fits_.push_back(x >= array_.end_x && strip_fits(0, x));
      enters_.push_back(x == 0 || std::all_of(lanes.begin(), lanes.end(), [&](int row) { return fabric_.good(x - 1, row, Side::E); }));
    }
  }

  bool strip_fits(int group, int x) const {
    const int top = plan_.strip_y;
    if (options_.no_strips.contains(x) || x + 3 > fabric_.width() || !fabric_.good(x + 1, top)) return false;
    if (stamps_.copy_late > 0 && (!fabric_.good(x, copy_y() - 1) || !fabric_.good(x, copy_y() - 2))) return false;
    if (sum_leaves_strip() && !fabric_.good(x + 1, top, Side::N)) return false;
    for (int y = ends_.bottom; y <= array_.lowest && !stamps_.feeds.empty(); ++y) {
      if (!fabric_.good(x, y) || !fabric_.good(x + 1, y)) return false;
    }
    if (stamps_.copy_late > 0 && (!fabric_.good(x, copy_y(), Side::S) || !fabric_.good(x + 1, copy_y(), Side::W))) return false;
    int y = top;
    for (const StripStamp* s : stamps_.chain(group)) {
      if (!fabric_.fits(s->layout, x, y)) return false;
      y += s->rows;
    }
    return true;
  }

  void place(int group, int x) {
    int y = plan_.strip_y;
    for (const StripStamp* s : stamps_.chain(group)) {
      fabric_.take(s->layout, x, y);
      y += s->rows;
    }
    if (!stamps_.words_only && stamps_.add) fabric_.reserve({x, plan_.strip_y - 1, Side::S});
    if (stamps_.copy_late > 0) {
      fabric_.reserve({x, copy_y(), Side::S});
      fabric_.reserve({x + 1, copy_y(), Side::W});
    }
    if (sum_leaves_strip() && !stamps_.add) fabric_.reserve({x + 1, plan_.strip_y, Side::N});
  }

  /// The adders at (L, y), and beside it for the constant: with the edges that they and their operands take.
  std::vector<CornerAdder> adders_at(int x, int y) const {
    std::vector<CornerAdder> adders = {{x, y, Side::S, Side::E}};
    if (stamps_.adds_constant) adders.push_back({x + 1, y, Side::E, Side::S});
    return adders;
  }
  static std::vector<FabricEdge> edges_of(const std::vector<CornerAdder>& adders) {
    std::vector<FabricEdge> edges;
    for (const CornerAdder& a : adders) {
      edges.insert(
          edges.end(),
          {{a.x, a.y, a.out}, {a.x, a.y, a.carry}, {a.x + dx(a.carry), a.y + dy(a.carry), opposite(a.carry)}, {a.x, a.y - 1, Side::S}});
    }
    return edges;
  }

  /// Adders that the row reaches in row y of column L. Returns the way from there to the strip; nullopt: they cannot stand there.
  std::optional<FabricWire> lay_adders(size_t strip, const PathEnd& row, int y) {
    const int x = plan_.strips[strip].left;
    const std::vector<CornerAdder> adders = adders_at(x, y);
    const std::vector<FabricEdge> edges = edges_of(adders);
    if (!std::all_of(edges.begin(), edges.end(), [&](const FabricEdge& e) { return fabric_.free(e.x, e.y, e.side); })) return std::nullopt;
    for (const FabricEdge& e : edges) fabric_.reserve(e);
    std::optional<FabricWire> to, from;
    int late = lost(row);
    if (x > row.x) to = way(row.x, row.y, Side::W, {x - 1, y, Side::E});
    if (to) {
      fabric_.reserve_wire(*to);
      late += detour(*to, {x - 1, y, Side::E});
    }
    const FabricEdge end{x + 1, plan_.strip_y - 1, Side::S};
    if (to || (x == row.x && y == row.y))
      from = stamps_.adds_constant ? find_way(x + 1, y + 1, Side::N, end, late) : find_way(x + 1, y, Side::W, end, late);
    if (to) fabric_.release_wire(*to);
    for (const FabricEdge& e : edges) fabric_.release(e);
    if (!from) return std::nullopt;
    if (to) attempt_.lay(*to);
    for (const FabricEdge& e : edges) {
      // Operands come later.
      if (e.y < y)
        fabric_.reserve(e);
      else
        fabric_.take(e);
    }
    plan_.adders.insert(plan_.adders.end(), adders.begin(), adders.end());
    ends_.adders[strip] = {y, x + y + kSumFront + 2 * array_.late + late};
    return from;
  }

  /// Phases that a row is late, beyond those of the array.
  int lost(const PathEnd& row) const { return 2 * (row.late - array_.late); }
  /// A wire without detours if there is one, else with no more than there is time for.
  std::optional<FabricWire> way(int x, int y, Side enter, const FabricEdge& to) const {
    auto wire = fabric_.find_monotone(x, y, enter, to);
    const int most = to.x - x + to.y - y + 1 + 2 * options_.corner_late;
    return wire ? wire : fabric_.find_between(x, y, enter, to, most);
  }
  /// Hops beyond those that geometry asks for.
  static int detour(const FabricWire& wire, const FabricEdge& to) { return count_of(wire.moves) - 1 - (to.x - wire.x) - (to.y - wire.y); }
  /// With detours so that the row loses corner_late cycles; `before` hops of them are lost already.
  std::optional<FabricWire> find_way(int x, int y, Side enter, const FabricEdge& to, int before) const {
    const auto wire = way(x, y, enter, to);
    if (!wire) return wire;
    return fabric_.lengthened(*wire, 2 * options_.corner_late - before - detour(*wire, to), true);
  }

  /// The row of cells above the clamp.
  int copy_y() const { return plan_.strip_y - 1 + (stamps_.constant ? stamps_.constant->rows : 0); }

  /// From the wires that bring the words, or from below the constant.
  bool lay_copies(const std::vector<FabricWire>& words) {
    const int y = copy_y();
    std::vector<LateCopy> copies;
    for (size_t i = 0; i < words.size(); ++i) {
      const int x = plan_.strips[i].left;
      const FabricWire word = stamps_.constant ? FabricWire{x + 1, y, Side::N, "S"} : words[i];
      copies.push_back({word, {x, y, Side::S}, stamps_.copy_late, {{x, y, Side::S}, {x + 1, y, Side::W}}});
    }
    for (const size_t i : find_late_copies(fabric_, copies, plan_.wires)) {
      const Strip& s = plan_.strips[i];
      not_here(s, fmt::format("no room to delay the sum of output {} above ({}, {})", s.group, s.left, y));
    }
    return attempt_.problem.empty();
  }

  /// The raw sums leave before the end of the strip.
  bool sum_leaves_corner() const { return form_.raw_bits > 0 && stamps_.adds_word; }
  bool sum_leaves_strip() const {
    return form_.raw_bits > 0 && !stamps_.adds_word && (stamps_.clamp || stamps_.constant || form_.multiply);
  }
  /// Phase in which (R, first row) reads slot 0.
  int phase(const Strip& s) const { return s.left + 1 + plan_.strip_y + kSumFront + 2 * (array_.late + options_.corner_late); }

  /// A marker lane runs straight through strips that stand side by side or across good gaps; behind a bad cell it enters again.
  bool connect_lane(const Lane& lane) {
    const std::vector<Strip>& strips = plan_.strips;
    const int y = plan_.strip_y + lane.row;
    for (int x = std::max(0, strips.front().left - 1); x < strips.back().left; ++x) fabric_.release({x, y, Side::E});
    std::vector<size_t> entries;
    for (size_t i = 0; i < strips.size(); ++i) {
      const int gap = i > 0 ? strips[i - 1].left + 2 : 0, left = strips[i].left;
      bool straight = i > 0;
      for (int x = gap; straight && x < left; ++x) straight = fabric_.free(x, y, Side::E);
      if (straight)
        attempt_.lay({gap, y, Side::W, std::string(index_of(left - gap), 'E')});
      else
        entries.push_back(i);
    }
    for (const size_t i : entries) {
      const Strip& s = strips[i];
      const auto wire = s.left == 0 ? std::optional(FabricWire{0, y, Side::W, ""}) : fabric_.find_from_border({s.left - 1, y, Side::E});
      if (!wire) return not_here(s, fmt::format("a marker lane does not reach the row end of output {} at ({}, {})", s.group, s.left, y));
      plan_.constants.push_back({attempt_.lay_feed(*wire, phase(s) + lane.phase), lane.slots});
    }
    return true;
  }

  /// The clamp's streams from the south.
  bool connect_feeds(const Strip& s) {
    for (const StripFeed& feed : stamps_.feeds) {
      const int x = s.left + feed.column, at = phase(s) + stamps_.phases() - stamps_.clamp->delay - 1 + feed.phase;
      std::optional<FabricWire> wire = FabricWire{x, ends_.bottom - 1, Side::S, ""};
      if (fabric_.height() > ends_.bottom) wire = fabric_.find_from_border({x, ends_.bottom, Side::N});
      if (!wire)
        return not_here(s,
                        fmt::format("a control stream of output {} does not reach ({}, {}) from the south", s.group, x, ends_.bottom - 1));
      plan_.constants.push_back({attempt_.lay_feed(*wire, at), feed.slots});
    }
    return true;
  }

  /// What is added to the sum of a strip, in the corner or in the strip.
  bool connect_operands(size_t i) {
    const Strip& s = plan_.strips[i];
    const RowGroup& group = form_.groups[index_of(s.group)];
    if (stamps_.words_only) {
      connect_words(s, group);
      return true;
    }
    const std::vector<uint8_t> constant = slots_of(form_.strip_constant, form_.word_slots);
    if (stamps_.adds_word) {
      const RowEnds::Adder& at = ends_.adders[i];
      if (stamps_.adds_constant) {
        const auto port = feed({s.left + 1, at.y - 1, Side::S}, at.phase + 1);
        if (!port) return not_here(s, fmt::format("the constant to be added to output {} does not reach ({}, {})", s.group, s.left, at.y));
        plan_.constants.push_back({*port, constant});
      }
      if (group.residual && !add_operand(s, at.y, at.phase)) return false;
      return true;
    }
    return !group.residual || add_operand(s, plan_.strip_y, phase(s) - 1);
  }

  void connect_words(const Strip& s, const RowGroup& group) {
    plan_.words.emplace_back(*group.residual, fabric_.take_port({s.left + 1, 0, Side::N, ""}, phase(s)));
    if (!stamps_.add) return;
    const BitSlot port = fabric_.take_port({s.left, 0, Side::N, ""}, phase(s) - 1);
    if (stamps_.adds_start_words)
      plan_.words.emplace_back(*group.planes[0].start_word, port);
    else
      plan_.constants.push_back({port, slots_of(form_.strip_constant, form_.word_slots)});
  }

  /// The residual word enters (L, y) from the north, where slot 0 is read in `phase`.
  bool add_operand(const Strip& s, int y, int phase) {
    const auto port = feed({s.left, y - 1, Side::S}, phase);
    if (!port) return not_here(s, fmt::format("the word to be added to output {} does not reach ({}, {})", s.group, s.left, y));
    plan_.words.emplace_back(*form_.groups[index_of(s.group)].residual, *port);
    return true;
  }

  /// A way from the border that ends with a reserved edge; slot 0 is behind it in phase `at`.
  std::optional<BitSlot> feed(const FabricEdge& edge, int at) {
    fabric_.release(edge);
    const auto wire = fabric_.find_from_border(edge);
    if (!wire) return std::nullopt;
    return attempt_.lay_feed(*wire, at);
  }

  bool connect_results(size_t i) {
    const Strip& s = plan_.strips[i];
    BitSlot& sum = plan_.sums[index_of(s.group)];
    if (sum_leaves_corner()) {
      const auto wire = fabric_.find_to_border(s.left + 1, ends_.adders[i].y, Side::W);
      if (!wire) return no_way_out(s);
      sum = attempt_.leave(*wire, ends_.adders[i].phase);
    } else if (sum_leaves_strip()) {
      auto wire = plan_.strip_y > 0 ? fabric_.find_to_border(s.left + 1, plan_.strip_y - 1, Side::S) : std::nullopt;
      if (!wire) return no_way_out(s);
      if (!stamps_.add) {
        fabric_.release({s.left + 1, plan_.strip_y, Side::N});
        *wire = {s.left + 1, plan_.strip_y, Side::N, "N" + wire->moves};
        sum = attempt_.leave(*wire, phase(s) - 1);
      } else {
        sum = attempt_.leave(*wire, phase(s));
      }
    }
    const int last = phase(s) + stamps_.phases() - 1;
    const int column = s.left + stamps_.result_column();
    BitSlot slot{Side::S, column, last};  // the last stamp's own edge
    if (fabric_.height() > ends_.bottom) {
      const auto wire = fabric_.find_to_border(column, ends_.bottom, Side::N);
      if (!wire) return no_way_out(s);
      slot = attempt_.leave(*wire, last);
    }
    plan_.results[index_of(s.group)] = slot;
    if (!sum_leaves_corner() && !sum_leaves_strip()) sum = slot;
    return true;
  }

  bool no_way_out(const Strip& s) {
    return not_here(s,
                    fmt::format("the result of output {} finds no path from ({}, {}) to a border", s.group, s.left + 1, ends_.bottom - 1));
  }

  LayoutAttempt& attempt_;
  const LayoutOptions& options_;
  const BitSerialForm& form_;
  const StripStamps& stamps_;
  Fabric& fabric_;
  ArrayPlan& plan_;
  const ArrayDetours& array_;
  RowEnds ends_;
  std::vector<uint8_t> fits_, enters_;   // by column L
  std::vector<std::vector<int>> rated_;  // [strips][column L]
};

}  // namespace

std::optional<RowEnds> lay_strips(LayoutAttempt& attempt, const ArrayDetours& array) {
  return RowEndFinder(attempt, array).lay();
}

bool connect_strips(LayoutAttempt& attempt, const ArrayDetours& array, const RowEnds& ends) {
  return RowEndFinder(attempt, array).connect(ends);
}

}  // namespace bitgrid::mapping
