#include "lowering/defects/systolic_around.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <functional>
#include <set>

#include "ir/error.h"
#include "lowering/defects/fabric.h"
#include "lowering/defects/row_paths.h"
#include "lowering/stamps/row_end.h"

namespace bitgrid {
namespace {

constexpr size_t kPlans = 4;    // layouts that are carried out, of those whose rows alone were laid
constexpr int kCandidates = 6;  // rows that are tried for each place in them
constexpr int kWindow = 16;     // rows of cells below the one above that a row may take
constexpr int kRetries = 60;
constexpr int kMostCornerRows = 12;
constexpr int kMostGap = 40;  // columns between two strips

constexpr int kSumFront = 2;  // slot 0 of a sum is read at (x, y) in phase x + y + 2 + 2 * (columns to the west where rows move north)

/// Where the columns go north, and what turned out not to work.
struct Plan {
  int north = 0;            // such columns
  int slack = 0;            // before every slack-th of them a column in which rows may move south
  int candidates = 1;       // rows that are tried for each place
  int first_block = 0;      // they stand from this block on, evenly
  int corner_rows = 0;      // rows of cells that rows may use on their way to the strips, beyond what they bring
  std::set<int> no_words;   // columns of cells where no word can come down
  std::set<int> no_strips;  // columns where no strip can begin
  std::set<int> no_ends;    // columns where digit planes cannot be combined
};

/// Why an attempt failed.
struct Failure {
  std::string problem;
  Plan next;           // with what was learnt
  bool again = false;  // worth another try with it
};

struct Row {
  const PlaneRow* plane = nullptr;
  int group = 0;
  int index = 0;  // of the plane within its group
  int planes = 1;
};

/// From where an adder takes its carry back.
enum class Carry : uint8_t { kNone, kNorth, kSouth, kWest };

constexpr Side carry_side(Carry carry) {
  return carry == Carry::kSouth ? Side::S : carry == Carry::kWest ? Side::W : Side::N;
}

/// The sum's and carry's tables of a weight; the sum comes from the west, or from the north where the row has just moved south.
struct Adder {
  Lut sum, carry;
};
Adder adder(int weight, Side carry, bool moved) {
  const auto table = [&](auto f) {
    return lut([&](bool n, bool e, bool s, bool w) { return f(carry == Side::N ? n : carry == Side::S ? s : w, e, moved ? n : w); });
  };
  if (weight == 0) return {moved ? kFromN : kFromW, 0};
  const Lut sum = table([](bool c, bool x, bool z) { return c ^ x ^ z; });
  if (weight > 0) return {sum, table([](bool c, bool x, bool z) { return majority(c, x, z); })};
  return {sum, table([](bool c, bool x, bool z) { return majority(c, x, !z); })};
}

class Builder {
 public:
  Builder(const std::string& name, const SystolicForm& form, uint32_t input_bits, const Defects& defects, const Plan& plan, int width,
          int height)
      : form_(form), plan_(plan), fabric_(width, height, defects), canvas_height_(height) {
    kernel_.name = name;
    kernel_.strategy = "systolic";
    kernel_.input_bits = input_bits;
    kernel_.ii = form.word_slots;
    failure_.next = plan;
    for (size_t g = 0; g < form.groups.size(); ++g) {
      const auto& planes = form.groups[g].planes;
      for (size_t p = 0; p < planes.size(); ++p)
        rows_.push_back({&planes[p], static_cast<int>(g), static_cast<int>(p), static_cast<int>(planes.size())});
      residual_ |= form.groups[g].residual.has_value();
      combine_ |= planes.size() > 1;
    }
    make_chain();
  }

  /// nullopt: see failure().
  std::optional<MappedKernel> build() {
    if (!words_only_) {
      make_steps();
      if (!find_rows()) return std::nullopt;
      lay_rows();
    }
    if (has_strips_ && !lay_strips()) return std::nullopt;
    const int width = std::max(end_x_, strips_.empty() ? 1 : strips_.back().left + 3);
    fabric_.trim(width, std::max(lowest_ + 1, bottom_));
    kernel_.outputs.resize((form_.raw_bits + (form_.clamp ? static_cast<size_t>(form_.clamp->width) : form_.sign ? 1 : 0)) * groups());
    if (!feed_rows() || !feed_columns() || !connect_strips()) return std::nullopt;
    finish();
    return std::move(kernel_);
  }

  /// Cells that a layout of this plan takes if nothing goes wrong; nullopt: its rows find no way.
  std::optional<int64_t> estimate() {
    if (words_only_) return 0;
    make_steps();
    if (!find_rows()) return std::nullopt;
    int strip_rows = 0;
    for (const StripStamp* s : chain(0)) strip_rows += s->rows;
    const int height = std::max(lowest_, paths_.back().back() + strip_rows) + 1;
    return int64_t{end_x_ + (has_strips_ ? 3 * static_cast<int>(groups()) : 0)} * height;
  }

  const Failure& failure() const { return failure_; }
  int feeds() const { return feeds_; }

 private:
  struct Strip {
    int group = 0;
    int left = 0;  // column L
  };
  struct Resident {
    ResidentDigit digit;
    int x, y;
    Side carry;
    bool moved;
  };

  size_t groups() const { return form_.groups.size(); }
  bool fail(const std::string& problem, bool again = false) {
    failure_.problem = problem;
    failure_.again = again;
    return false;
  }

  // ---- row ends: which stamps ----

  void make_chain() {
    const bool words = form_.columns.empty() && residual_ && std::all_of(form_.groups.begin(), form_.groups.end(), [](const RowGroup& g) {
                         return g.residual && g.planes.size() == 1 && (g.planes[0].start_word || g.planes[0].start == 0);
                       });
    adds_start_words_ = words && form_.groups[0].planes[0].start_word;
    words_only_ = words;
    if ((residual_ && !words_only_) || adds_start_words_) add_ = add_words_stamp();
    if (form_.strip_constant != 0) constant_ = add_constant_stamp(form_.strip_constant, form_.word_slots);
    if (form_.multiply) {
      for (const RowGroup& g : form_.groups) multipliers_.push_back(multiply_stamp(g.multiplier, g.multiplier_constant, form_.word_slots));
    }
    if (form_.clamp) clamp_ = clamp_stamp({form_.word_slots, form_.clamp->shift, form_.clamp->sign, form_.clamp->width, form_.clamp->low});
    has_strips_ = words_only_ || add_ || constant_ || clamp_ || form_.multiply;
  }

  std::vector<const StripStamp*> chain(int group) const {
    std::vector<const StripStamp*> stamps;
    if (add_) stamps.push_back(&*add_);
    if (constant_) stamps.push_back(&*constant_);
    if (form_.multiply) stamps.push_back(&multipliers_[static_cast<size_t>(group)]);
    if (clamp_) stamps.push_back(&*clamp_);
    return stamps;
  }

  // ---- array ----

  void make_steps() {
    int x = 0, north = 0;
    const int blocks = static_cast<int>(form_.columns.size());
    for (int c = 0; c <= blocks; ++c) {
      // The k-th column north stands before block first + (k + 1) * (blocks - first) / north.
      while (north < plan_.north && plan_.first_block + (north + 1) * (blocks - plan_.first_block) / plan_.north <= c) {
        if (plan_.slack > 0 && north % plan_.slack == 0) steps_.push_back({ArrayStepKind::kPlain, x++, 0});
        steps_.push_back({ArrayStepKind::kNorth, x++, 0});
        ++north;
      }
      north_before_.push_back(north);
      if (c == blocks) break;
      while (plan_.no_words.contains(x + 1)) steps_.push_back({ArrayStepKind::kPlain, x++, 0});
      steps_.push_back({ArrayStepKind::kBlock, x, c});
      x += 2;
    }
    if (combine_) {
      while (plan_.no_ends.contains(x)) steps_.push_back({ArrayStepKind::kPlain, x++, 0});
      steps_.push_back({ArrayStepKind::kEnd, x, 0});
      x += 2;
    }
    end_x_ = x;
    late_ = 2 * north;
  }

  int digit(const Row& row, int c) const {
    const auto i = static_cast<size_t>(c);
    return row.plane->residents.empty() ? row.plane->weights[i] : row.plane->residents[i].zero;
  }
  bool counts(const Row& row, int c) const {
    return digit(row, c) != 0 || (!row.plane->residents.empty() && row.plane->residents[static_cast<size_t>(c)].one != 0);
  }

  std::optional<Carry> carry_of(const Row& row, const ArrayStep& step, int y, int to) const {
    if (!counts(row, step.column)) return Carry::kNone;
    const int x = step.x;
    const auto loop = [&](Side out) { return fabric_.good(x, to, out) && fabric_.good(x + dx(out), to + dy(out), opposite(out)); };
    if (to != y) return loop(Side::W) ? std::optional(Carry::kWest) : std::nullopt;
    if (loop(Side::N) && north_taken_[static_cast<size_t>(x)] != to) return Carry::kNorth;
    if (loop(Side::S)) return Carry::kSouth;
    return std::nullopt;
  }

  bool can_pass(int r, int k, int y, int to, const RowPath* above) const {
    const ArrayStep& step = steps_[static_cast<size_t>(k)];
    const Row& row = rows_[static_cast<size_t>(r)];
    const int x = step.x;
    if (has_strips_ && static_cast<size_t>(k) + 1 == steps_.size() && row.index + 1 == row.planes && !fabric_.good(end_x_, to))
      return false;
    if (step.kind == ArrayStepKind::kNorth) return fabric_.good(x, y, Side::N) && fabric_.good(x, to, Side::E);
    if (step.kind == ArrayStepKind::kEnd) return can_combine(r, x, y);
    if (to != y && !fabric_.good(x, y, Side::S)) return false;
    if (!fabric_.good(x, to, Side::E)) return false;
    if (step.kind == ArrayStepKind::kPlain) return true;
    if (!fabric_.good(x + 1, to, Side::E)) return false;
    if (above && west_taken_[static_cast<size_t>(x)] == y) return false;
    if (!counts(row, step.column)) return true;
    return fabric_.good(x + 1, to, Side::W) && carry_of(row, step, y, to).has_value();
  }

  bool can_combine(int r, int x, int y) const {
    const Row& row = rows_[static_cast<size_t>(r)];
    if (!fabric_.good(x, y, Side::E) || !fabric_.good(x + 1, y, row.index + 1 < row.planes ? Side::S : Side::E)) return false;
    if (row.index == 0) return true;
    if (!fabric_.good(x, y, Side::N) || !fabric_.good(x, y - 1, Side::S) || !fabric_.good(x + 1, y, Side::W)) return false;
    for (int above = paths_.back().back() + 1; above < y; ++above) {
      if (!fabric_.good(x + 1, above, Side::S)) return false;
    }
    return true;
  }

  bool find_rows() {
    north_taken_.assign(static_cast<size_t>(end_x_), -1);
    west_taken_ = north_taken_;
    std::vector<int> group;
    for (const Row& row : rows_) group.push_back(row.group);
    const RowPathsParams params{1, canvas_height_, kWindow + plan_.north, plan_.candidates};
    const std::vector<Row> rows = rows_;
    RowPaths found = find_row_paths(
        steps_, group, params, [&](int r, int k, int in, int out, const RowPath* above) { return can_pass(r, k, in, out, above); },
        [&](int r, const RowPath& path) { place_row(rows[static_cast<size_t>(r)], path); });
    if (found.paths.size() < rows_.size()) {
      const ArrayStep& step = steps_[static_cast<size_t>(found.failed_step)];
      if (step.kind == ArrayStepKind::kEnd) failure_.next.no_ends.insert(step.x);
      return fail(fmt::format("row {} of {} finds no way through column {} within {} rows of cells", found.paths.size(), rows_.size(),
                              step.x, canvas_height_),
                  step.kind == ArrayStepKind::kEnd);
    }
    for (size_t i = 0; i < rows.size(); ++i) rows_[i] = rows[static_cast<size_t>(found.order[i])];
    for (const RowPath& path : paths_) lowest_ = std::max(lowest_, *std::max_element(path.begin(), path.end()));
    return true;
  }

  /// Notes where the carries of a row stand in the way of the next one.
  void place_row(const Row& row, const RowPath& path) {
    paths_.push_back(path);
    carries_.emplace_back(steps_.size(), Carry::kNone);
    std::vector<int> north(north_taken_.size(), -1), west = north;
    for (size_t k = 0; k < steps_.size(); ++k) {
      if (steps_[k].kind != ArrayStepKind::kBlock) continue;
      const int x = steps_[k].x, y = path[k + 1];
      const Carry carry = *carry_of(row, steps_[k], path[k], y);
      if (carry == Carry::kSouth) north[static_cast<size_t>(x)] = y + 1, lowest_ = std::max(lowest_, y + 1);
      if (carry == Carry::kWest) west[static_cast<size_t>(x)] = y;
      carries_.back()[k] = carry;
    }
    north_taken_ = std::move(north);
    west_taken_ = std::move(west);
  }

  void lay_rows() {
    for (size_t r = 0; r < rows_.size(); ++r) {
      for (size_t k = 0; k < steps_.size(); ++k) lay_step(r, k, paths_[r][k], paths_[r][k + 1]);
    }
  }

  void lay_step(size_t r, size_t k, int y, int to) {
    const Row& row = rows_[r];
    const ArrayStep& step = steps_[k];
    const int x = step.x;
    if (step.kind == ArrayStepKind::kEnd) return lay_combination(row, r, x, y);
    if (step.kind == ArrayStepKind::kNorth) return fabric_.wire({x, y, Side::W, "NE"});
    const bool moved = to != y;
    if (moved) fabric_.wire({x, y, Side::W, "S"});
    if (step.kind == ArrayStepKind::kPlain) return fabric_.put(x, to, Side::E, moved ? kFromN : kFromW);
    const Carry carry = carries_[r][k];
    const Adder a = adder(digit(row, step.column), carry_side(carry), moved);
    fabric_.put(x, to, Side::E, a.sum);
    fabric_.put(x + 1, to, Side::E, kFromW);
    if (carry != Carry::kNone) {
      const Side out = carry_side(carry);
      fabric_.put(x, to, out, a.carry);
      fabric_.put(x + dx(out), to + dy(out), opposite(out), kCopy[static_cast<size_t>(opposite(out))]);
      fabric_.reserve({x + 1, to, Side::W});
    }
    if (!row.plane->residents.empty())
      residents_.push_back({row.plane->residents[static_cast<size_t>(step.column)], x, to, carry_side(carry), moved});
  }

  void lay_combination(const Row& row, size_t r, int x, int y) {
    const bool more = row.index + 1 < row.planes;
    fabric_.wire({x + 1, y, Side::W, more ? "S" : "E"});
    if (row.index == 0) return fabric_.wire({x, y, Side::W, "E"});
    for (int above = paths_[r - 1].back() + 1; above < y; ++above) fabric_.wire({x + 1, above, Side::N, "S"});
    fabric_.wire({x + 1, y, Side::N, "W"});
    fabric_.put(x, y, Side::E, lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }));
    fabric_.put(x, y, Side::N, lut([](bool n, bool e, bool, bool w) { return majority(n, e, w); }));
    fabric_.put(x, y - 1, Side::S, kFromS);
  }

  // ---- strips: the bottom row turns south first, so that rows and strips do not cross ----

  int row_end(int group) const {
    for (size_t r = 0; r < rows_.size(); ++r) {
      if (rows_[r].group == group && rows_[r].index + 1 == rows_[r].planes) return steps_.empty() ? start_y(r) : paths_[r].back();
    }
    return 0;
  }
  int start_y(size_t r) const { return paths_[r].front(); }

  bool lay_strips() {
    strip_y_ = words_only_ ? 0 : paths_.back().back() + 1 + plan_.corner_rows;
    int rows = 0;
    for (const StripStamp* s : chain(0)) rows += s->rows;
    bottom_ = strip_y_ + rows;
    const std::vector<int> wanted = strip_columns();
    int x = end_x_;
    for (size_t i = rows_.size(); i-- > 0;) {
      if (rows_[i].index + 1 != rows_[i].planes) continue;
      if (strips_.size() < wanted.size()) x = std::max(x, wanted[strips_.size()]);
      const int group = rows_[i].group, first = x;
      while (!place_strip(group, x)) {
        if (++x > first + kMostGap || x + 3 > fabric_.width()) {
          ++failure_.next.corner_rows;
          return fail(fmt::format("no place for the row end of output {} in columns {} .. {}, rows {} .. {}", group, first, x, strip_y_,
                                  bottom_ - 1),
                      plan_.corner_rows < kMostCornerRows);
        }
      }
      strips_.push_back({group, x});
      x += 2;
    }
    return true;
  }

  /// Column L of each strip so that stamps and marker lanes find good cells and the last strip ends as far west as can be: the places that
  /// each strip can take, from those of the one before. Empty if there is no such choice.
  std::vector<int> strip_columns() const {
    const int width = fabric_.width();
    std::vector<uint8_t> fits(static_cast<size_t>(width));
    for (int x = end_x_; x + 3 <= width; ++x) fits[static_cast<size_t>(x)] = strip_fits(0, x);
    std::vector<int> lanes;
    int y = strip_y_;
    for (const StripStamp* s : chain(0)) {
      for (const Lane& lane : s->lanes) lanes.push_back(y + lane.row);
      y += s->rows;
    }
    constexpr int kNone = -1;
    std::vector<std::vector<int>> before;  // [strip][x]: L of the strip before, kNone if x cannot be taken
    for (size_t i = 0; i < groups(); ++i) {
      std::vector<int> from(static_cast<size_t>(width), kNone);
      for (int x = end_x_; x + 3 <= width; ++x) {
        if (!fits[static_cast<size_t>(x)]) continue;
        if (i == 0) {
          if (x < end_x_ + kMostGap && (x == 0 || lanes_enter(lanes, x, x))) from[static_cast<size_t>(x)] = 0;
          continue;
        }
        for (int left = x - 2; left >= std::max(end_x_, x - 2 - kMostGap / 4) && from[static_cast<size_t>(x)] == kNone; --left) {
          if (before.back()[static_cast<size_t>(left)] != kNone && lanes_enter(lanes, left + 2, x)) from[static_cast<size_t>(x)] = left;
        }
      }
      before.push_back(std::move(from));
    }
    const auto last = std::find_if(before.back().begin(), before.back().end(), [](int left) { return left != kNone; });
    if (last == before.back().end()) return {};
    std::vector<int> columns = {static_cast<int>(last - before.back().begin())};
    for (size_t i = groups() - 1; i > 0; --i) columns.push_back(before[i][static_cast<size_t>(columns.back())]);
    std::reverse(columns.begin(), columns.end());
    return columns;
  }

  bool strip_fits(int group, int x) const {
    if (plan_.no_strips.contains(x) || x + 3 > fabric_.width() || !fabric_.good(x + 1, strip_y_)) return false;
    int y = strip_y_;
    for (const StripStamp* s : chain(group)) {
      if (!fabric_.fits(s->layout, x, y)) return false;
      y += s->rows;
    }
    return true;
  }

  /// Whether the lanes can get from column `from` to column `to`: straight, or anew through the column before it. from == to at the first
  /// strip, before which they enter anyhow.
  bool lanes_enter(const std::vector<int>& lanes, int from, int to) const {
    if (from == to && to > end_x_) return true;
    for (const int y : lanes) {
      if (to > 0 && !fabric_.good(to - 1, y, Side::E)) return false;
    }
    return true;
  }

  bool place_strip(int group, int x) {
    if (!strip_fits(group, x)) return false;
    if (!words_only_) {
      if (add_) fabric_.reserve({x, strip_y_ - 1, Side::S});
      const auto wire = fabric_.find_monotone(end_x_, row_end(group), Side::W, {x + 1, strip_y_ - 1, Side::S});
      if (!wire) {
        fabric_.release({x, strip_y_ - 1, Side::S});
        return false;
      }
      fabric_.wire(*wire);
    }
    int y = strip_y_;
    for (const StripStamp* s : chain(group)) {
      fabric_.place(s->layout, x, y);
      y += s->rows;
    }
    if (raw_in_strip()) fabric_.reserve({x + 1, strip_y_, Side::N});
    return true;
  }

  /// The sums leave before the end of the strip.
  bool raw_in_strip() const { return form_.raw_bits > 0 && (clamp_ || constant_ || form_.multiply); }
  /// Phase in which (R, strip_y) reads slot 0.
  int strip_phase(const Strip& s) const { return s.left + 1 + strip_y_ + kSumFront + late_; }

  // ---- ports ----

  void add_word(const Word& word, BitSlot slot) {
    for (uint32_t k = 0; k < word.bits; ++k)
      kernel_.inputs.push_back({word.first + k, {slot.side, slot.position, slot.phase + 2 * static_cast<int>(k + word.shift)}, 1});
  }

  /// The wire reaches its end (the cell behind its last move) in phase `at`. Returns the port with its phase.
  BitSlot lay_feed(const FabricWire& wire, int at) {
    fabric_.wire(wire);
    const auto hops = static_cast<int>(wire.moves.size());
    longest_feed_ = std::max(longest_feed_, hops);
    return fabric_.take_port(wire, at - hops);
  }

  bool feed_rows() {
    for (size_t r = 0; !words_only_ && r < rows_.size(); ++r) {
      const PlaneRow& row = *rows_[r].plane;
      const int y = start_y(r);
      const BitSlot slot = fabric_.take_port({0, y, Side::W, ""}, y + kSumFront);
      if (row.start_word) {
        add_word(*row.start_word, slot);
      } else if (row.start != 0) {
        ConstantStream stream{slot, std::vector<uint8_t>(static_cast<size_t>(form_.word_slots))};
        for (int k = 0; k < form_.word_slots; ++k) stream.bits[static_cast<size_t>(k)] = static_cast<uint8_t>((row.start >> k) & 1);
        kernel_.constants.push_back(std::move(stream));
      }
    }
    if (has_strips_) return true;
    for (size_t g = 0; g < groups(); ++g) {
      const int y = row_end(static_cast<int>(g));
      add_outputs(g, {Side::E, y, fabric_.width() - 1 + y + kSumFront + late_}, true);
    }
    return true;
  }

  /// The word of `slot` holds the sum (raw bits and sign).
  void add_outputs(size_t group, BitSlot slot, bool sign) {
    for (uint32_t k = 0; k < form_.raw_bits; ++k)
      kernel_.outputs[group * form_.raw_bits + k] = {slot.side, slot.position, slot.phase + 2 * static_cast<int>(k)};
    if (sign && form_.sign)
      kernel_.outputs[groups() * form_.raw_bits + group] = {slot.side, slot.position, slot.phase + 2 * (form_.word_slots - 1)};
  }

  /// A stretch of a column's word, unbroken by defects, from the first cell that needs it to the last.
  struct Stretch {
    int column, x, top, bottom;
    std::vector<int> taps;  // y of the rows that read it
  };

  bool feed_columns() {
    std::vector<Stretch> stretches;
    for (size_t k = 0; k < steps_.size(); ++k) {
      if (steps_[k].kind == ArrayStepKind::kBlock) add_stretches(k, stretches);
    }
    for (Stretch& s : stretches) {
      for (int y = s.top; y < s.bottom; ++y) fabric_.reserve({s.x, y, Side::S});
    }
    // Plain ways from the north first: they take nothing that another would miss.
    std::stable_partition(stretches.begin(), stretches.end(), [&](const Stretch& s) { return comes_straight(s); });
    bool ok = true;
    for (const Stretch& s : stretches) ok = feed(s) && ok;
    return ok;
  }

  void add_stretches(size_t k, std::vector<Stretch>& stretches) {
    const int c = steps_[k].column, x = steps_[k].x + 1;
    bool any = false;
    for (size_t r = 0; r < rows_.size(); ++r) {
      if (!counts(rows_[r], c)) continue;
      const int y = paths_[r][k + 1];
      bool joins = any && stretches.back().column == c;
      for (int above = joins ? stretches.back().bottom : y; joins && above < y; ++above)
        joins = fabric_.free(x, above, Side::S) && fabric_.good(x, above + 1);
      if (!joins) stretches.push_back({c, x, y, y, {}});
      stretches.back().bottom = y;
      stretches.back().taps.push_back(y);
      any = true;
    }
    if (!any) unused_.push_back({c, x});
  }

  bool comes_straight(const Stretch& s) const {
    for (int y = 0; y < s.top; ++y) {
      if (!fabric_.free(s.x, y, Side::S)) return false;
    }
    return true;
  }

  bool feed(const Stretch& s) {
    Side from = Side::N;
    std::optional<FabricWire> wire;
    if (comes_straight(s)) {
      wire = FabricWire{s.x, 0, Side::N, std::string(static_cast<size_t>(s.top), 'S')};
    } else {
      wire = fabric_.find_feed(s.x, s.top, &from);
      ++feeds_;
    }
    if (!wire) {
      failure_.next.no_words.insert(s.x);
      return fail(fmt::format("the word of column {} does not reach rows {} .. {} of cells at x = {}", s.column, s.top, s.bottom, s.x),
                  true);
    }
    const int late = 2 * north_before_[static_cast<size_t>(s.column)];
    add_word(form_.columns[static_cast<size_t>(s.column)], lay_feed(*wire, s.x + s.top + late));
    for (int y = s.top; y < s.bottom; ++y) fabric_.lay_reserved({s.x, y, Side::S}, y == s.top ? kCopy[static_cast<size_t>(from)] : kFromN);
    for (const int y : s.taps) fabric_.lay_reserved({s.x, y, Side::W}, y == s.top ? kCopy[static_cast<size_t>(from)] : kFromN);
    return true;
  }

  bool connect_strips() {
    if (!has_strips_) return true;
    bool ok = true;
    int y = strip_y_, offset = 0;  // phases between (R, strip_y) and the stamp's first row
    for (size_t stage = 0; stage < chain(0).size(); ++stage) {
      const StripStamp& stamp = *chain(0)[stage];
      for (const Lane& lane : stamp.lanes) ok = connect_lane(lane, y + lane.row, offset + lane.phase) && ok;
      y += stamp.rows;
      offset += stamp.delay + 1;
      strip_delay_ += stamp.delay;
    }
    for (const Strip& s : strips_) ok = connect_words(s) && connect_results(s, offset) && ok;
    return ok;
  }

  /// A marker lane runs straight through strips that stand side by side or across good gaps; behind a bad cell it enters anew.
  bool connect_lane(const Lane& lane, int y, int offset) {
    std::vector<size_t> entries;
    for (size_t i = 0; i < strips_.size(); ++i) {
      bool straight = i > 0;
      for (int x = i > 0 ? strips_[i - 1].left + 2 : 0; straight && x < strips_[i].left; ++x) straight = fabric_.free(x, y, Side::E);
      if (straight) {
        for (int x = strips_[i - 1].left + 2; x < strips_[i].left; ++x) fabric_.put(x, y, Side::E, kFromW);
      } else {
        entries.push_back(i);
      }
    }
    for (const size_t i : entries) {
      const int at = strip_phase(strips_[i]) + offset, left = strips_[i].left;
      std::optional<FabricWire> wire;
      if (left == 0) {
        wire = FabricWire{0, y, Side::W, ""};
      } else {
        wire = fabric_.find_from_border({left - 1, y, Side::E});
      }
      if (!wire) {
        failure_.next.no_strips.insert(left);
        return fail(fmt::format("a marker lane does not reach the row end of output {} at ({}, {})", strips_[i].group, left, y), true);
      }
      kernel_.constants.push_back({lay_feed(*wire, at), lane.slots});
    }
    return true;
  }

  bool connect_words(const Strip& s) {
    const RowGroup& group = form_.groups[static_cast<size_t>(s.group)];
    if (!group.residual) return true;
    if (words_only_) {
      add_word(*group.residual, fabric_.take_port({s.left + 1, 0, Side::N, ""}, strip_phase(s)));
      if (adds_start_words_) add_word(*group.planes[0].start_word, fabric_.take_port({s.left, 0, Side::N, ""}, strip_phase(s) - 1));
      return true;
    }
    const FabricEdge edge{s.left, strip_y_ - 1, Side::S};
    fabric_.release(edge);
    const auto wire = fabric_.find_from_border(edge);
    if (!wire) {
      failure_.next.no_strips.insert(s.left);
      return fail(fmt::format("the word to be added to output {} does not reach ({}, {})", s.group, s.left, strip_y_), true);
    }
    add_word(*group.residual, lay_feed(*wire, strip_phase(s) - 1));
    return true;
  }

  bool connect_results(const Strip& s, int offset) {
    const auto group = static_cast<size_t>(s.group);
    if (raw_in_strip()) {
      fabric_.lay_reserved({s.left + 1, strip_y_, Side::N}, add_ ? lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }) : kFromN);
      const auto wire = fabric_.find_to_border(s.left + 1, strip_y_ - 1, Side::S);
      if (!wire || strip_y_ == 0) return no_way_out(s);
      add_outputs(group, leave(*wire, strip_phase(s)), false);
    }
    FabricWire out{s.left + 1, bottom_ - 1, Side::N, ""};  // the last stamp's own edge
    int phase = strip_phase(s) + offset - 1;
    BitSlot slot{Side::S, s.left + 1, phase};
    if (fabric_.height() > bottom_ || chain(0).empty()) {
      const auto wire = fabric_.find_to_border(s.left + 1, bottom_, Side::N);
      if (!wire) return no_way_out(s);
      slot = leave(*wire, phase);
    }
    int first = 0;
    for (const StripStamp* stamp : chain(s.group)) first += stamp->slot_shift;
    if (form_.clamp) {
      for (int k = 0; k < form_.clamp->width; ++k)
        kernel_.outputs[groups() * form_.raw_bits + group * static_cast<size_t>(form_.clamp->width) + static_cast<size_t>(k)] = {
            slot.side, slot.position, slot.phase + 2 * (first + k)};
    } else if (raw_in_strip()) {
      kernel_.outputs[groups() * form_.raw_bits + group] = {slot.side, slot.position, slot.phase + 2 * (form_.word_slots - 1)};
    } else {
      add_outputs(group, slot, true);
    }
    return true;
  }

  bool no_way_out(const Strip& s) {
    failure_.next.no_strips.insert(s.left);
    return fail(fmt::format("the result of output {} finds no way from ({}, {}) to a border", s.group, s.left + 1, bottom_ - 1), true);
  }

  /// The wire's first cell latches in phase before + 1.
  BitSlot leave(const FabricWire& wire, int before) {
    fabric_.wire(wire);
    int x = wire.x, y = wire.y;
    for (size_t i = 0; i + 1 < wire.moves.size(); ++i) {
      for (const Side side : kSides) {
        if (letter(side) == wire.moves[i]) x += dx(side), y += dy(side);
      }
    }
    Side last = Side::N;
    for (const Side side : kSides) {
      if (letter(side) == wire.moves.back()) last = side;
    }
    return {last, last == Side::N || last == Side::S ? x : y, before + static_cast<int>(wire.moves.size())};
  }

  void finish() {
    kernel_.grid = fabric_.config();
    for (const auto& [c, x] : unused_) add_unused(c, x);
    for (const Resident& r : residents_)
      kernel_.residents.push_back({r.digit.bit, r.x, r.y, word_of(r, r.digit.zero), word_of(r, r.digit.one)});
    kernel_.output_bits = static_cast<uint32_t>(kernel_.outputs.size());
    kernel_.lead_cycles = (kernel_.grid.width + kernel_.grid.height + late_ + longest_feed_) / 2 + strip_delay_ + 4 * form_.word_slots;
    normalise_phases();
  }

  /// A word that no weight reads: any port, the column's own if it can be.
  void add_unused(int column, int x) {
    const Word& word = form_.columns[static_cast<size_t>(column)];
    for (int i = 0; i < fabric_.width(); ++i) {
      const int position = (x + i) % fabric_.width();
      for (const Side side : {Side::N, Side::S}) {
        if (!fabric_.port_free(side, position)) continue;
        const int y = side == Side::N ? 0 : fabric_.height() - 1;
        return add_word(word, fabric_.take_port({position, y, side, ""}, position + y));
      }
    }
    assert(false && "a border has more ports than a kernel has columns");
  }

  CellWord word_of(const Resident& r, int digit) const {
    std::array<Lut, 4> luts = cell_luts(kernel_.grid.at(r.x, r.y));
    const Adder a = adder(digit, r.carry, r.moved);
    luts[static_cast<size_t>(Side::E)] = a.sum;
    luts[static_cast<size_t>(r.carry)] = a.carry;
    return cell_word(luts);
  }

  void normalise_phases() {
    int first = 0;
    for (size_t i = 0; i < kernel_.inputs.size(); ++i)
      first = i == 0 ? kernel_.inputs[i].slot.phase : std::min(first, kernel_.inputs[i].slot.phase);
    const int by = first >= 0 ? -(first & ~1) : (-first + 1) & ~1;
    for (InputSlot& in : kernel_.inputs) in.slot.phase += by;
    for (BitSlot& out : kernel_.outputs) out.phase += by;
    const int period = 2 * kernel_.ii;
    for (ConstantStream& c : kernel_.constants) c.slot.phase = ((c.slot.phase + by) % period + period) % period;
  }

  const SystolicForm& form_;
  const Plan& plan_;
  Fabric fabric_;
  const int canvas_height_;
  MappedKernel kernel_;
  Failure failure_;

  std::vector<Row> rows_;
  bool residual_ = false, combine_ = false, words_only_ = false, adds_start_words_ = false, has_strips_ = false;
  std::optional<StripStamp> add_, constant_, clamp_;
  std::vector<StripStamp> multipliers_;

  std::vector<ArrayStep> steps_;
  std::vector<int> north_before_;  // columns north before each block; the last entry: all
  std::vector<RowPath> paths_;     // of rows_
  std::vector<std::vector<Carry>> carries_;
  // Of the row that was placed last: cells whose northern output, and those whose western input, its carries take.
  // By x: at most one of each stands in a column.
  std::vector<int> north_taken_, west_taken_;
  int end_x_ = 0;   // first column behind the array
  int late_ = 0;    // phases by which rows run behind x + y + 2 there
  int lowest_ = 0;  // lowest row of cells of the array
  int strip_y_ = 0;
  int bottom_ = 0;
  std::vector<Strip> strips_;
  std::vector<Resident> residents_;
  std::vector<std::pair<int, int>> unused_;  // columns without weights, and their x
  int strip_delay_ = 0, longest_feed_ = 0, feeds_ = 0;
};

/// The plans to try, most promising first.
std::vector<Plan> plans(const std::function<std::optional<int64_t>(const Plan&)>& estimate, int blocks, size_t most) {
  std::vector<std::pair<int64_t, Plan>> rated;
  for (const int north : {0, 1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64}) {
    if (north > blocks / 2) break;
    for (const int eighth : {0, 4, 6, 7}) {  // of the blocks that stand before the first column north
      for (const int slack : {0, 1, 2}) {
        if (north == 0 && eighth + slack > 0) continue;
        Plan plan;
        plan.north = north;
        plan.slack = slack;
        plan.first_block = blocks * eighth / 8;
        if (const auto cells = estimate(plan)) rated.push_back({*cells, plan});
      }
    }
  }
  std::stable_sort(rated.begin(), rated.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Plan> best;
  for (size_t i = 0; i < std::min(most, rated.size()); ++i) best.push_back(rated[i].second);
  return best;
}

}  // namespace

MappedKernel map_systolic_around(const std::string& name, const SystolicForm& form, uint32_t input_bits, const Defects& defects,
                                 AroundStats* stats) {
  const MappedKernel plain = map_systolic(name, form, input_bits);
  const int width = plain.grid.width * 2 + 40, height = plain.grid.height * 2 + 20;
  const int blocks = static_cast<int>(form.columns.size());
  std::optional<MappedKernel> best;
  std::string problem = "no layout was tried";
  AroundStats counted;
  const auto estimate = [&](const Plan& plan) {
    Builder builder(name, form, input_bits, defects, plan, width, height);
    const auto cells = builder.estimate();
    if (!cells) problem = builder.failure().problem;
    return cells;
  };
  for (Plan plan : plans(estimate, blocks, kPlans)) {
    plan.candidates = kCandidates;
    for (int retry = 0; retry < kRetries; ++retry) {
      ++counted.attempts;
      Builder builder(name, form, input_bits, defects, plan, width, height);
      std::optional<MappedKernel> kernel = builder.build();
      if (kernel) {
        if (!best || kernel->grid.cells.size() < best->grid.cells.size()) {
          best = std::move(kernel);
          counted.north_columns = plan.north;
          counted.feeds = builder.feeds();
        }
        break;
      }
      problem = builder.failure().problem;
      if (!builder.failure().again) break;
      plan = builder.failure().next;
    }
  }
  if (stats) *stats = counted;
  if (best) return std::move(*best);
  throw Error("kernel " + name,
              fmt::format("no layout of {} inputs x {} outputs goes around the {} bad cells and {} bad edges: {}", form.columns.size(),
                          form.groups.size(), defects.cells.size(), defects.edges.size(), problem),
              "use a tile with fewer defects there, or cut the layer into smaller kernels");
}

}  // namespace bitgrid
