#include "lowering/mapping/matrix/row_end_lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "lowering/mapping/matrix/delayed_taps.h"

namespace bitgrid::mapping {
namespace {

constexpr int kMostCornerRows = 12;
constexpr int kMostCornerLate = 4;
constexpr int kMostGap = 40;  // columns between two strips
constexpr int kNoPlace = INT_MAX;

class Strips {
 public:
  Strips(LayoutAttempt& draft, const StripStamps& stamps, const DetourArray& array)
      : draft_(draft), form_(draft.form), fabric_(draft.fabric), stamps_(stamps), array_(array) {}

  std::optional<RowEndLanes> lay() {
    at_.y = stamps_.words_only ? 0 : lowest_end() + 1 + draft_.plan.corner_rows;
    at_.bottom = at_.y + stamps_.rows();
    int x = array_.end_x;
    size_t left = draft_.groups();
    for (size_t i = array_.rows.rows.size(); i-- > 0;) {
      const ArrayRow& row = array_.rows.rows[i];
      if (row.index + 1 != row.planes) continue;
      const auto column = next_column(x, left--);
      if (!column || !strip_fits(row.group, *column)) {
        no_room(row.group, x, false);
        return std::nullopt;
      }
      place(row.group, *column);
      at_.strips.push_back({row.group, *column});
      x = *column + 2;
    }
    fabric_.trim(x + 1, std::max(array_.lowest + 1, at_.bottom));
    keep_ways();
    if (!stamps_.words_only && !lay_wires()) return std::nullopt;
    return std::move(at_);
  }

  bool connect(RowEndLanes& strips) {
    at_ = strips;
    bool ok = true;
    int y = at_.y, offset = 0;  // phases between (R, first row) and the stamp's first row
    for (const StripStamp* stamp : stamps_.chain(0)) {
      for (const Lane& lane : stamp->lanes) ok = connect_lane(lane, y + lane.row, offset + lane.phase) && ok;
      y += stamp->rows;
      offset += stamp->delay + 1;
      strips.delay += stamp->delay;
    }
    for (const Strip& s : at_.strips) {
      for (const FabricEdge& e : ways_south(s)) fabric_.release(e);
      ok = connect_feeds(s, offset) && connect_words(s) && connect_results(s, offset) && ok;
    }
    return ok;
  }

 private:
  int lowest_end() const {
    int y = 0;
    for (size_t g = 0; g < draft_.groups(); ++g) y = std::max(y, array_.row_end(static_cast<int>(g)).y);
    return y;
  }

  void no_room(int group, int x, bool fits) {
    // More time for detours, then more room, or another place.
    if (fits && x > array_.end_x && draft_.plan.corner_late < kMostCornerLate) {
      draft_.next.corner_late += 2;
    } else if (fits && draft_.plan.no_strips.size() % 4 != 3) {
      draft_.next.no_strips.insert(x);
    } else {
      ++draft_.next.corner_rows;
      draft_.next.no_strips.clear();  // they were those of other rows of cells
    }
    draft_.fail(fmt::format("no {} for the row end of output {} from column {} on, rows {} .. {}", fits ? "way" : "place", group, x, at_.y,
                            at_.bottom - 1),
                fits || draft_.plan.corner_rows < kMostCornerRows);
  }

  /// Reserves what lanes and results would miss.
  void keep_ways() {
    for (const int y : lane_rows()) {
      for (int x = std::max(0, at_.strips.front().left - 1); x < at_.strips.back().left; ++x) {
        if (fabric_.free(x, y, Side::E)) fabric_.reserve({x, y, Side::E});
      }
    }
    for (const Strip& s : at_.strips) {
      for (const FabricEdge& e : ways_south(s)) {
        if (fabric_.free(e.x, e.y, e.side)) fabric_.reserve(e);
      }
      for (const StripFeed& feed : stamps_.feeds) {
        if (fabric_.height() == at_.bottom) fabric_.take_port({s.left + feed.column, at_.bottom - 1, Side::S, ""}, 0);
      }
    }
  }

  /// Edges between a strip and the south border for its result and its streams from there.
  std::vector<FabricEdge> ways_south(const Strip& s) const {
    std::vector<FabricEdge> edges;
    for (int y = at_.bottom; y < fabric_.height(); ++y) {
      edges.push_back({s.left + stamps_.result_column(), y, Side::S});
      for (const StripFeed& feed : stamps_.feeds) edges.push_back({s.left + feed.column, y, Side::N});
    }
    return edges;
  }

  std::vector<int> lane_rows() const {
    std::vector<int> rows;
    int y = at_.y;
    for (const StripStamp* s : stamps_.chain(0)) {
      for (const Lane& lane : s->lanes) rows.push_back(y + lane.row);
      y += s->rows;
    }
    return rows;
  }

  /// From the row ends to the strips: the northernmost row first, each as far north as it can be, so that copies find room to wander below.
  bool lay_wires() {
    std::vector<FabricWire> wires(at_.strips.size());
    for (size_t i = at_.strips.size(); i-- > 0;) {
      Strip& s = at_.strips[i];
      const PathEnd row = array_.row_end(s.group);
      std::optional<FabricWire> wire;
      if (stamps_.adds_in_corner) {
        for (int y = row.y; y + 1 < at_.y && !wire; ++y) wire = lay_adder(s, row, y);
      } else {
        wire = find_way(row.x, row.y, {s.left + 1, at_.y - 1, Side::S}, lost(row));
      }
      if (!wire) {
        no_room(s.group, s.left, true);
        return false;
      }
      fabric_.wire(*wire);
      wires[i] = *wire;
    }
    return stamps_.copy_late == 0 || lay_copies(wires);
  }

  /// Column L of the first of `left` strips from column `from` on, so that stamps and marker lanes find good cells and the last strip ends
  /// as far west as can be.
  std::optional<int> next_column(int from, size_t left) {
    if (ends_.empty()) rate_places();
    const std::vector<int>& ends = ends_[left];
    int best = kNoPlace, column = from;
    for (int x = from; x <= from + kMostGap && x + 3 <= fabric_.width(); ++x) {
      if (x > array_.end_x && x > from && !enters_[static_cast<size_t>(x)]) continue;
      if (ends[static_cast<size_t>(x)] < best) best = ends[static_cast<size_t>(x)], column = x;
    }
    if (best == kNoPlace) return std::nullopt;
    return column;
  }

  /// Where the last of so many strips ends at best if the first of them begins at column L: from the places of the one behind it.
  void rate_places() {
    look_for_places();
    const auto width = static_cast<size_t>(fabric_.width());
    ends_.assign(draft_.groups() + 1, std::vector<int>(width, kNoPlace));
    for (size_t left = 1; left < ends_.size(); ++left) {
      for (size_t x = 0; x + 3 <= width; ++x) {
        if (!fits_[x]) continue;
        int& end = ends_[left][x];
        if (left == 1) end = static_cast<int>(x);
        for (size_t next = x + 2; left > 1 && next <= x + 2 + kMostGap && next + 3 <= width; ++next) {
          if (next == x + 2 || enters_[next]) end = std::min(end, ends_[left - 1][next]);
        }
      }
    }
  }

  /// Where a strip fits, and where marker lanes can enter anew.
  void look_for_places() {
    const std::vector<int> lanes = lane_rows();
    for (int x = 0; x < fabric_.width(); ++x) {
      fits_.push_back(x >= array_.end_x && strip_fits(0, x));
      enters_.push_back(x == 0 || std::all_of(lanes.begin(), lanes.end(), [&](int row) { return fabric_.good(x - 1, row, Side::E); }));
    }
  }

  bool strip_fits(int group, int x) const {
    if (draft_.plan.no_strips.contains(x) || x + 3 > fabric_.width() || !fabric_.good(x + 1, at_.y)) return false;
    if (stamps_.copy_late > 0 && (!fabric_.good(x, copy_y() - 1) || !fabric_.good(x, copy_y() - 2))) return false;
    if (raw_in_strip() && !fabric_.good(x + 1, at_.y, Side::N)) return false;
    for (int y = at_.bottom; y <= array_.lowest && !stamps_.feeds.empty(); ++y) {
      if (!fabric_.good(x, y) || !fabric_.good(x + 1, y)) return false;
    }
    if (stamps_.copy_late > 0 && (!fabric_.good(x, copy_y(), Side::S) || !fabric_.good(x + 1, copy_y(), Side::W))) return false;
    int y = at_.y;
    for (const StripStamp* s : stamps_.chain(group)) {
      if (!fabric_.fits(s->layout, x, y)) return false;
      y += s->rows;
    }
    return true;
  }

  void place(int group, int x) {
    int y = at_.y;
    for (const StripStamp* s : stamps_.chain(group)) {
      fabric_.place(s->layout, x, y);
      y += s->rows;
    }
    if (!stamps_.words_only && stamps_.add) fabric_.reserve({x, at_.y - 1, Side::S});
    if (stamps_.copy_late > 0) {
      fabric_.reserve({x, copy_y(), Side::S});
      fabric_.reserve({x + 1, copy_y(), Side::W});
    }
    if (raw_in_strip()) fabric_.reserve({x + 1, at_.y, Side::N});
  }

  /// An adder at (L, y), which the row reaches, and which its carry leaves south. Returns the way from there to the strip; nullopt: it
  /// cannot stand there.
  std::optional<FabricWire> lay_adder(Strip& s, const PathEnd& row, int y) {
    const int x = s.left;
    if (!fabric_.free(x, y, Side::E) || !fabric_.free(x, y, Side::S) || !fabric_.free(x, y + 1, Side::N)) return std::nullopt;
    if (!fabric_.free(x, y - 1, Side::S)) return std::nullopt;
    const std::vector<FabricEdge> adder = {{x, y, Side::E}, {x, y, Side::S}, {x, y + 1, Side::N}, {x, y - 1, Side::S}};
    for (const FabricEdge& e : adder) fabric_.reserve(e);
    std::optional<FabricWire> to, from;
    int late = lost(row);
    if (x > row.x) to = way(row.x, row.y, {x - 1, y, Side::E});
    if (to) {
      fabric_.reserve_wire(*to);
      late += detour(*to, {x - 1, y, Side::E});
    }
    if (to || (x == row.x && y == row.y)) from = find_way(x + 1, y, {x + 1, at_.y - 1, Side::S}, late);
    if (to) fabric_.release_wire(*to);
    for (const FabricEdge& e : adder) fabric_.release(e);
    if (!from) return std::nullopt;
    if (to) fabric_.wire(*to);
    fabric_.put(x, y, Side::E, lut([](bool n, bool, bool c, bool w) { return n ^ c ^ w; }));
    fabric_.put(x, y, Side::S, lut([](bool n, bool, bool c, bool w) { return majority(n, c, w); }));
    fabric_.put(x, y + 1, Side::N, kFromN);
    fabric_.reserve({x, y - 1, Side::S});
    s.add_y = y;
    s.add_late = late;
    return from;
  }

  /// Phases that a row is late, beyond those of the array.
  int lost(const PathEnd& row) const { return 2 * (row.late - array_.late); }
  /// A wire that comes from the west, without detours if there is one, else with no more than there is time for.
  std::optional<FabricWire> way(int x, int y, const FabricEdge& to) const {
    auto wire = fabric_.find_monotone(x, y, Side::W, to);
    const int most = to.x - x + to.y - y + 1 + 2 * draft_.plan.corner_late;
    return wire ? wire : fabric_.find_between(x, y, Side::W, to, most);
  }
  /// Hops beyond those that geometry asks for.
  static int detour(const FabricWire& wire, const FabricEdge& to) {
    return static_cast<int>(wire.moves.size()) - 1 - (to.x - wire.x) - (to.y - wire.y);
  }
  /// With detours so that the row loses corner_late cycles; `before` hops of them are lost already.
  std::optional<FabricWire> find_way(int x, int y, const FabricEdge& to, int before) const {
    const auto wire = way(x, y, to);
    if (!wire) return wire;
    return fabric_.lengthened(*wire, 2 * draft_.plan.corner_late - before - detour(*wire, to), true);
  }

  /// The row of cells above the clamp.
  int copy_y() const { return at_.y - 1 + (stamps_.constant ? stamps_.constant->rows : 0); }

  /// From the wires that bring the words, or from below the constant.
  bool lay_copies(const std::vector<FabricWire>& words) {
    const int y = copy_y();
    std::vector<LateCopy> copies;
    for (size_t i = 0; i < words.size(); ++i) {
      const int x = at_.strips[i].left;
      const FabricWire word = stamps_.constant ? FabricWire{x + 1, y, Side::N, "S"} : words[i];
      copies.push_back({word, {x, y, Side::S}, stamps_.copy_late, {{x, y, Side::S}, {x + 1, y, Side::W}}});
    }
    for (const size_t i : lay_late_copies(fabric_, copies)) {
      draft_.next.no_strips.insert(at_.strips[i].left);
      draft_.fail(fmt::format("no room to delay the sum of output {} above ({}, {})", at_.strips[i].group, at_.strips[i].left, y), true);
    }
    return draft_.problem.empty();
  }

  /// The sums leave before the end of the strip.
  bool raw_in_corner() const { return form_.raw_bits > 0 && stamps_.adds_in_corner; }
  bool raw_in_strip() const {
    return form_.raw_bits > 0 && !stamps_.adds_in_corner && (stamps_.clamp || stamps_.constant || form_.multiply);
  }
  /// Phase in which (R, first row) reads slot 0.
  int phase(const Strip& s) const { return s.left + 1 + at_.y + kSumFront + 2 * (array_.late + draft_.plan.corner_late); }

  /// Phase in which the adder reads slot 0.
  int add_phase(const Strip& s) const { return s.left + s.add_y + kSumFront + 2 * array_.late + s.add_late; }

  /// A marker lane runs straight through strips that stand side by side or across good gaps; behind a bad cell it enters anew.
  bool connect_lane(const Lane& lane, int y, int offset) {
    for (int x = std::max(0, at_.strips.front().left - 1); x < at_.strips.back().left; ++x) fabric_.release({x, y, Side::E});
    std::vector<size_t> entries;
    for (size_t i = 0; i < at_.strips.size(); ++i) {
      bool straight = i > 0;
      for (int x = i > 0 ? at_.strips[i - 1].left + 2 : 0; straight && x < at_.strips[i].left; ++x) straight = fabric_.free(x, y, Side::E);
      if (straight) {
        for (int x = at_.strips[i - 1].left + 2; x < at_.strips[i].left; ++x) fabric_.put(x, y, Side::E, kFromW);
      } else {
        entries.push_back(i);
      }
    }
    for (const size_t i : entries) {
      const int at = phase(at_.strips[i]) + offset, left = at_.strips[i].left;
      const auto wire = left == 0 ? std::optional(FabricWire{0, y, Side::W, ""}) : fabric_.find_from_border({left - 1, y, Side::E});
      if (!wire) {
        draft_.next.no_strips.insert(left);
        return draft_.fail(fmt::format("a marker lane does not reach the row end of output {} at ({}, {})", at_.strips[i].group, left, y),
                           true);
      }
      draft_.kernel.constants.push_back({draft_.lay_feed(*wire, at), lane.slots});
    }
    return true;
  }

  /// The clamp's streams from the south; `offset`: phases between the first row of the strip and the row behind it.
  bool connect_feeds(const Strip& s, int offset) {
    for (const StripFeed& feed : stamps_.feeds) {
      const int x = s.left + feed.column, at = phase(s) + offset - stamps_.clamp->delay - 1 + feed.phase;
      std::optional<FabricWire> wire = FabricWire{x, at_.bottom - 1, Side::S, ""};
      if (fabric_.height() > at_.bottom) wire = fabric_.find_from_border({x, at_.bottom, Side::N});
      if (!wire) {
        draft_.next.no_strips.insert(s.left);
        return draft_.fail(fmt::format("a control stream of output {} does not reach ({}, {}) from the south", s.group, x, at_.bottom - 1),
                           true);
      }
      draft_.kernel.constants.push_back({draft_.lay_feed(*wire, at), feed.slots});
    }
    return true;
  }

  std::vector<uint8_t> constant_slots(int64_t value) const {
    std::vector<uint8_t> slots(static_cast<size_t>(form_.word_slots));
    for (int k = 0; k < form_.word_slots && k < 63; ++k) slots[static_cast<size_t>(k)] = static_cast<uint8_t>((value >> k) & 1);
    return slots;
  }

  bool connect_words(const Strip& s) {
    const RowGroup& group = form_.groups[static_cast<size_t>(s.group)];
    if (!group.residual) return true;
    if (stamps_.words_only) {
      draft_.add_word(*group.residual, fabric_.take_port({s.left + 1, 0, Side::N, ""}, phase(s)));
      if (stamps_.add) {
        const BitSlot slot = fabric_.take_port({s.left, 0, Side::N, ""}, phase(s) - 1);
        if (stamps_.adds_start_words) {
          draft_.add_word(*group.planes[0].start_word, slot);
        } else {
          draft_.kernel.constants.push_back({slot, constant_slots(stamps_.adds_constant)});
        }
      }
      return true;
    }
    const FabricEdge edge{s.left, (stamps_.adds_in_corner ? s.add_y : at_.y) - 1, Side::S};
    fabric_.release(edge);
    const auto wire = fabric_.find_from_border(edge);
    if (!wire) {
      draft_.next.no_strips.insert(s.left);
      return draft_.fail(fmt::format("the word to be added to output {} does not reach ({}, {})", s.group, s.left, at_.y), true);
    }
    const int reads = stamps_.adds_in_corner ? add_phase(s) : phase(s) - 1;
    draft_.add_word(*group.residual, draft_.lay_feed(*wire, reads));
    return true;
  }

  bool connect_results(const Strip& s, int offset) {
    const auto group = static_cast<size_t>(s.group);
    std::vector<BitSlot>& outputs = draft_.kernel.outputs;
    if (raw_in_corner()) {
      const auto wire = fabric_.find_to_border(s.left + 1, s.add_y, Side::W);
      if (!wire) return no_way_out(s);
      draft_.add_outputs(group, draft_.leave(*wire, add_phase(s)), false);
    } else if (raw_in_strip()) {
      fabric_.lay_reserved({s.left + 1, at_.y, Side::N},
                           stamps_.add ? lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }) : kFromN);
      const auto wire = at_.y > 0 ? fabric_.find_to_border(s.left + 1, at_.y - 1, Side::S) : std::nullopt;
      if (!wire) return no_way_out(s);
      draft_.add_outputs(group, draft_.leave(*wire, phase(s)), false);
    }
    const int last = phase(s) + offset - 1;
    const int column = s.left + stamps_.result_column();
    BitSlot slot{Side::S, column, last};  // the last stamp's own edge
    if (fabric_.height() > at_.bottom || stamps_.chain(0).empty()) {
      const auto wire = fabric_.find_to_border(column, at_.bottom, Side::N);
      if (!wire) return no_way_out(s);
      slot = draft_.leave(*wire, last);
    }
    int first = 0;
    for (const StripStamp* stamp : stamps_.chain(s.group)) first += stamp->slot_shift;
    const size_t results = draft_.groups() * form_.raw_bits;
    if (form_.clamp) {
      const auto width = static_cast<size_t>(form_.clamp->width);
      for (size_t k = 0; k < width; ++k)
        outputs[results + group * width + k] = {slot.side, slot.position, slot.phase + 2 * (first + static_cast<int>(k))};
    } else if (raw_in_strip() || raw_in_corner()) {
      outputs[results + group] = {slot.side, slot.position, slot.phase + 2 * (form_.word_slots - 1)};
    } else {
      draft_.add_outputs(group, slot, true);
    }
    return true;
  }

  bool no_way_out(const Strip& s) {
    draft_.next.no_strips.insert(s.left);
    return draft_.fail(fmt::format("the result of output {} finds no way from ({}, {}) to a border", s.group, s.left + 1, at_.bottom - 1),
                       true);
  }

  LayoutAttempt& draft_;
  const BitSerialForm& form_;
  Fabric& fabric_;
  const StripStamps& stamps_;
  const DetourArray& array_;
  RowEndLanes at_;
  std::vector<uint8_t> fits_, enters_;  // by column L
  std::vector<std::vector<int>> ends_;  // [strips][column L]
};

}  // namespace

std::vector<const StripStamp*> StripStamps::chain(int group) const {
  std::vector<const StripStamp*> stamps;
  if (add) stamps.push_back(&*add);
  if (constant) stamps.push_back(&*constant);
  if (!multipliers.empty()) stamps.push_back(&multipliers[static_cast<size_t>(group)]);
  if (clamp) stamps.push_back(&*clamp);
  return stamps;
}

int StripStamps::rows() const {
  int rows = 0;
  for (const StripStamp* s : chain(0)) rows += s->rows;
  return rows;
}

StripStamps strip_stamps(const BitSerialForm& form, bool compact) {
  StripStamps stamps;
  const bool residual = std::any_of(form.groups.begin(), form.groups.end(), [](const RowGroup& g) { return g.residual.has_value(); });
  stamps.words_only = form.columns.empty() && residual && std::all_of(form.groups.begin(), form.groups.end(), [](const RowGroup& g) {
                        return g.residual && g.planes.size() == 1 && (g.planes[0].start_word || g.planes[0].start == 0);
                      });
  stamps.adds_start_words = stamps.words_only && form.groups[0].planes[0].start_word;
  if ((residual && !stamps.words_only) || stamps.adds_start_words) stamps.add = add_words_stamp();
  if (stamps.words_only && !stamps.adds_start_words && form.strip_constant != 0) {
    stamps.adds_constant = form.strip_constant;
    stamps.add = add_words_stamp();
  } else if (form.strip_constant != 0) {
    stamps.constant = add_constant_stamp(form.strip_constant, form.word_slots);
  }
  if (form.multiply) {
    for (const RowGroup& g : form.groups)
      stamps.multipliers.push_back(multiply_stamp(g.multiplier, g.multiplier_constant, form.word_slots));
  }
  if (!form.clamp) return stamps;
  compact = compact && !stamps.words_only && stamps.multipliers.empty();
  FlatClamp clamp = flat_clamp({form.word_slots, form.clamp->shift, form.clamp->sign, form.clamp->width, form.clamp->low}, !compact);
  stamps.clamp = std::move(clamp.stamp);
  stamps.feeds = std::move(clamp.feeds);
  if (compact) {
    stamps.adds_in_corner = stamps.add.has_value();
    stamps.add.reset();
    stamps.copy_late = clamp.copy_late;
  }
  return stamps;
}

std::optional<RowEndLanes> lay_strips(LayoutAttempt& draft, const StripStamps& stamps, const DetourArray& array) {
  return Strips(draft, stamps, array).lay();
}

bool connect_strips(LayoutAttempt& draft, const StripStamps& stamps, const DetourArray& array, RowEndLanes& strips) {
  return Strips(draft, stamps, array).connect(strips);
}

}  // namespace bitgrid::mapping
