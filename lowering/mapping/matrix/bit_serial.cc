#include "lowering/mapping/matrix/bit_serial.h"

#include <algorithm>
#include <cassert>
#include <climits>
#include <numeric>

#include "ir/output_cone.h"
#include "lowering/mapping/canvas.h"
#include "lowering/mapping/matrix/bit_serial_size.h"
#include "lowering/mapping/matrix/low_profile_clamp.h"
#include "lowering/mapping/matrix/row_end_stamps.h"

namespace bitgrid::mapping {
namespace {

constexpr int kSumFront = 2;  // slot 0 of a sum is read at (x, y) in phase x + y + 2, of a column word in phase x + y

/// Cell A of the multiply-accumulate stamp: N the carry of the row above (returned), E the column's bit, S own carry (returned by the cell
/// below), W partial sum.
CellWord mac_cell(int weight) {
  const Lut sum = weight == 0 ? kFromW : lut([](bool, bool e, bool s, bool w) { return e ^ s ^ w; });
  const Lut carry = weight == 0  ? Lut{0}
                    : weight > 0 ? lut([](bool, bool e, bool s, bool w) { return majority(e, s, w); })
                                 : lut([](bool, bool e, bool s, bool w) { return majority(e, s, !w); });
  return cell_word({kFromN, sum, carry, Lut{0}});
}

void put_cell(Layout& g, int x, int y, CellWord word) {
  const auto luts = cell_luts(word);
  for (const Side s : kSides) {
    if (luts[static_cast<size_t>(s)] != 0) g.put(x, y, s, luts[static_cast<size_t>(s)]);
  }
}

/// How a clamp in the strips gets the delayed copy of its word.
enum class Copies : uint8_t {
  kInStrips,  // a delay line in each strip
  kBeside,    // the row goes on east, turns north and comes back in the row above
  kBelow,     // the word leaves column R two rows below its own, east, and comes back one row below its own
};

/// Places of everything; y of the first plane row is 0. The row below the last one returns its carries.
struct Geometry {
  int columns = 0;
  bool combine = false;      // two more columns combine digit planes
  bool strips = false;       // row ends turn south
  bool strips_only = false;  // no array: words enter the strips from the north border
  bool residual = false;
  bool constant_above = false;  // the strip constant comes down column R from the north border and is added where the row turns
  Copies copies = Copies::kInStrips;
  int reach = 0;        // columns that copies go east of column R
  int line_groups = 0;  // the first groups (the easternmost strips) delay their copies in a line in their own columns instead
  int line_y = 0;       // first row of these lines
  int corner_x = 0;
  std::vector<int> group_y;  // bottom plane row of each group
  int strip_y = 0;           // first row of the row-end stamps
  int width = 0;
  int height = 0;

  /// Column L of a group's row end. The southernmost row turns first: the corner below the others stays free for copies.
  int left(int group) const { return corner_x + 2 * (static_cast<int>(group_y.size()) - 1 - group); }
  bool raw_leaves_north() const { return constant_above || copies == Copies::kBelow; }
};

class BitSerialBuilder {
 public:
  BitSerialBuilder(const std::string& name, const BitSerialForm& form, uint32_t input_bits) : form_(form) {
    kernel_.name = name;
    kernel_.strategy = "bit-serial";
    kernel_.input_bits = input_bits;
    kernel_.ii = form.word_slots;
  }

  MappedKernel build(BitSerialStats* stats) {
    make_strip_stamps(form_.groups.size());
    make_geometry();
    Layout g(geo_.width, geo_.height);
    if (!geo_.strips_only) {
      lay_array(g);
      lay_combination(g);
      lay_row_ends(g);
    }
    lay_strips(g);
    lay_feeds();
    kernel_.grid = g.config();
    place_resident_words();
    connect_inputs();
    kernel_.outputs = raw_;
    kernel_.outputs.insert(kernel_.outputs.end(), results_.begin(), results_.end());
    kernel_.output_bits = static_cast<uint32_t>(kernel_.outputs.size());
    normalise_phases();
    kernel_.lead_cycles = (geo_.width + geo_.height) / 2 + geo_.reach + strip_delay_ + 4 * form_.word_slots;
    raise_lead(kernel_);
    if (stats) {
      stats->array_cells = int64_t{geo_.corner_x} * (geo_.strips_only ? 0 : geo_.strip_y);
      stats->corner_cells = int64_t{geo_.width - geo_.corner_x} * geo_.strip_y;
      stats->strip_cells = int64_t{geo_.width} * (geo_.height - geo_.strip_y);
    }
    return std::move(kernel_);
  }

  /// What build() would give, from the geometry alone.
  BitSerialSize size() {
    make_strip_stamps(1);
    make_geometry();
    // Words enter first at the smallest phase.
    int first = INT_MAX, last = INT_MIN, y = 0;
    const auto enters = [&](const Word& word, int phase) { first = std::min(first, phase + 2 * static_cast<int>(word.shift)); };
    for (int c = 0; c < geo_.columns; ++c) enters(form_.columns[static_cast<size_t>(c)], 2 * c + 1);
    for (int r = 0; r < groups(); ++r) {
      const RowGroup& group = form_.groups[static_cast<size_t>(r)];
      for (const PlaneRow& row : group.planes) {
        if (row.start_word && !geo_.strips_only) enters(*row.start_word, y + kSumFront);
        ++y;
      }
      if (form_.raw_bits > 0 && !geo_.strips_only)
        last = std::max(last, raw_slot(r).phase + 2 * (static_cast<int>(form_.raw_bits + form_.raw_shift) - 1));
      if (!group.residual) continue;
      const int x = geo_.left(r) + (geo_.strips_only ? 1 : 0);
      enters(*group.residual, x + kSumFront);
      if (words_) enters(*group.planes[0].start_word, x - 1 + kSumFront);
    }
    if (!geo_.strips_only && sign_at_row_end()) last = std::max(last, east_slot(groups() - 1).phase + 2 * (form_.word_slots - 1));
    if (geo_.strips) {
      int phase = geo_.left(0) + 1 + geo_.strip_y + kSumFront, slot = 0;
      for (const StripStamp* stamp : chain(0)) phase += stamp->delay + 1, slot += stamp->slot_shift;
      const int width = words_ ? static_cast<int>(form_.raw_bits) : form_.clamp ? form_.clamp->width : 1;
      if (form_.sign) slot = form_.word_slots - 1;
      last = std::max(last, phase - 1 + 2 * (slot + width - 1));
    }
    return {geo_.width, geo_.height, form_.word_slots, (last - first + 2) / 2};
  }

 private:
  int groups() const { return static_cast<int>(form_.groups.size()); }
  bool sign_at_row_end() const { return form_.sign && form_.strip_constant == 0; }

  /// Where slot 0 of a group's sum leaves through the east border.
  BitSlot east_slot(int group) const {
    const int y = geo_.group_y[static_cast<size_t>(group)];
    return {Side::E, y, geo_.width - 1 + y + kSumFront};
  }
  /// Where slot 0 of a group's raw sum leaves.
  BitSlot raw_slot(int group) const {
    if (!geo_.raw_leaves_north()) return east_slot(group);
    return {Side::N, geo_.left(group), geo_.left(group) + 2 * geo_.group_y[static_cast<size_t>(group)] + kSumFront};
  }

  /// The chain of stamps of group `g` between row end and south border.
  std::vector<const StripStamp*> chain(int group) const {
    std::vector<const StripStamp*> stamps;
    if (words_) stamps.push_back(&*words_);
    if (constant_) stamps.push_back(&*constant_);
    if (form_.multiply) stamps.push_back(&multipliers_[static_cast<size_t>(group)]);
    if (clamp_) stamps.push_back(&clamp_->stamp);
    return stamps;
  }

  /// Sums of two words a group and nothing else: they need neither array nor corner.
  bool adds_words() const {
    return form_.columns.empty() && form_.raw_bits > 0 && !form_.clamp && !form_.sign &&
           std::all_of(form_.groups.begin(), form_.groups.end(),
                       [](const RowGroup& g) { return g.residual && g.planes[0].start_word && g.planes.size() == 1; });
  }

  /// Row ends turn south where there is no array to speak of: words enter the strips from the north border.
  bool words_enter_strips() const {
    return form_.columns.empty() && form_.raw_bits == 0 && std::all_of(form_.groups.begin(), form_.groups.end(), [](const RowGroup& g) {
             return g.residual && g.planes[0].start == 0 && !g.planes[0].start_word;
           });
  }

  /// Multipliers: of the first `multipliers` groups.
  void make_strip_stamps(size_t multipliers) {
    if (adds_words()) words_ = add_words_stamp();
    geo_.strips = words_ || form_.clamp || (form_.sign && !sign_at_row_end());
    geo_.strips_only = words_ || (geo_.strips && words_enter_strips());
    const bool in_strips = geo_.strips_only || form_.multiply;
    if (form_.strip_constant != 0 && in_strips) constant_ = add_constant_stamp(form_.strip_constant, form_.word_slots);
    geo_.constant_above = form_.strip_constant != 0 && !in_strips;
    if (form_.multiply) {
      for (size_t r = 0; r < multipliers; ++r)
        multipliers_.push_back(multiply_stamp(form_.groups[r].multiplier, form_.groups[r].multiplier_constant, form_.word_slots));
    }
    if (!form_.clamp) return;
    clamp_ = flat_clamp({form_.word_slots, form_.clamp->shift, form_.clamp->sign, form_.clamp->width, form_.clamp->low}, in_strips);
    const bool below = geo_.constant_above ||
                       std::any_of(form_.groups.begin(), form_.groups.end(), [](const RowGroup& g) { return g.residual.has_value(); });
    if (!in_strips) geo_.copies = below ? Copies::kBelow : Copies::kBeside;
  }

  void make_geometry() {
    geo_.columns = static_cast<int>(form_.columns.size());
    for (const RowGroup& g : form_.groups) {
      geo_.combine |= g.planes.size() > 1;
      geo_.residual |= g.residual.has_value();
    }
    int y = 0;
    for (const RowGroup& g : form_.groups) {
      y += static_cast<int>(g.planes.size());
      geo_.group_y.push_back(y - 1);
    }
    geo_.corner_x = 2 * geo_.columns + (geo_.combine ? 2 : 0);
    const bool turns = geo_.strips || geo_.residual;
    geo_.width = std::max(1, geo_.corner_x + (turns ? 2 * groups() + (geo_.strips ? 1 : 0) : 0));
    geo_.strip_y = geo_.strips_only ? 0 : y;
    if (geo_.copies != Copies::kInStrips)
      place_copies();
    else if (!geo_.strips_only && geo_.residual)
      ++geo_.strip_y;  // one more row returns the last residual adder's carry
    if (geo_.strips && !geo_.strips_only && chain(0).empty()) geo_.strip_y = std::max(geo_.strip_y, y + 1);
    geo_.height = geo_.strip_y;
    for (const StripStamp* s : chain(0)) geo_.height += s->rows;
    if (!geo_.strips_only) geo_.height = std::max(geo_.height, y + 1);
  }

  /// A copy takes a way of clamp_copy_late phases more than its word: `reach` columns east and back. Where that would leave the grid, a
  /// delay line stands in the strip's own columns, below all rows in which copies of other strips come by.
  void place_copies() {
    const int first = geo_.copies == Copies::kBelow ? 1 : -1;  // rows of a copy, relative to the group's row
    geo_.reach = form_.clamp->sign - 1;
    geo_.line_groups = geo_.reach / 2;
    if (geo_.group_y.front() + first < 0) geo_.line_groups = std::max(geo_.line_groups, 1);
    geo_.line_groups = std::min(geo_.line_groups, groups());
    geo_.strip_y += first + 1;
    if (geo_.line_groups == 0) return;
    line_ = delay_line(clamp_copy_hops(form_.clamp->sign));
    const int last = std::min(groups() - 1, geo_.line_groups - 1 + (geo_.reach + 1) / 2);
    geo_.line_y = geo_.group_y[static_cast<size_t>(last)] + first + 2;
    geo_.strip_y = std::max(geo_.strip_y, geo_.line_y + line_.rows);
  }

  void lay_array(Layout& g) {
    int y = 0;
    for (const RowGroup& group : form_.groups) {
      for (const PlaneRow& row : group.planes) {
        assert(row.weights.empty() || row.residents.empty());
        for (int c = 0; c < geo_.columns; ++c) {
          const auto i = static_cast<size_t>(c);
          put_cell(g, 2 * c, y, mac_cell(row.residents.empty() ? row.weights[i] : row.residents[i].zero));
          put_cell(g, 2 * c + 1, y, cell_word({Lut{0}, kFromW, kFromN, kFromN}));
        }
        add_start(row, y);
        ++y;
      }
    }
    for (int c = 0; c < geo_.columns; ++c) g.put(2 * c, y, Side::N, kFromN);
  }

  void add_start(const PlaneRow& row, int y) {
    const BitSlot slot{Side::W, y, y + kSumFront};
    if (row.start_word) {
      add_word(*row.start_word, slot);
    } else if (row.start != 0) {
      add_constant_stream(slot, row.start);
    }
  }

  void add_constant_stream(BitSlot slot, int64_t value) {
    ConstantStream stream{slot, std::vector<uint8_t>(static_cast<size_t>(form_.word_slots))};
    for (int k = 0; k < form_.word_slots; ++k) stream.bits[static_cast<size_t>(k)] = static_cast<uint8_t>((value >> k) & 1);
    kernel_.constants.push_back(std::move(stream));
  }

  /// Horner's rule at the row ends: the sum of the plane above arrives one slot later (times two) and is added.
  void lay_combination(Layout& g) {
    if (!geo_.combine) return;
    const int x = 2 * geo_.columns;
    int y = 0;
    for (const RowGroup& group : form_.groups) {
      const int planes = static_cast<int>(group.planes.size());
      for (int p = 0; p < planes; ++p, ++y) {
        if (p == 0) {
          g.wire(x, y, Side::W, "E");
        } else {
          g.wire(x + 1, y, Side::N, "W");
          g.put(x, y, Side::E, lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }));
          g.put(x, y, Side::N, lut([](bool n, bool e, bool, bool w) { return majority(n, e, w); }));
          g.wire(x, y - 1, Side::S, "S");
        }
        g.wire(x + 1, y, Side::W, p + 1 < planes ? "S" : "E");
      }
    }
  }

  /// Rows run east; the residual word comes down column L and is added; the sum turns south in column R or goes on to the border.
  void lay_row_ends(Layout& g) {
    const bool turns = geo_.strips || geo_.residual;
    for (int r = 0; r < groups(); ++r) {
      if (turns) lay_turn(g, r);
      const BitSlot raw = raw_slot(r), end = east_slot(r);
      for (uint32_t k = 0; k < form_.raw_bits; ++k)
        raw_.push_back({raw.side, raw.position, raw.phase + 2 * static_cast<int>(k + form_.raw_shift)});
      if (sign_at_row_end()) results_.push_back({end.side, end.position, end.phase + 2 * (form_.word_slots - 1)});
    }
  }

  void lay_turn(Layout& g, int group) {
    const int l = geo_.left(group), y = geo_.group_y[static_cast<size_t>(group)];
    const bool residual = form_.groups[static_cast<size_t>(group)].residual.has_value();
    const Lut sum = residual ? lut([](bool n, bool, bool s, bool w) { return n ^ s ^ w; }) : kFromW;
    g.wire(geo_.corner_x, y, Side::W, Side::E, l - geo_.corner_x);
    g.put(l, y, Side::E, sum);
    if (residual) {
      g.wire(l, 0, Side::N, Side::S, y);
      g.put(l, y, Side::S, lut([](bool n, bool, bool s, bool w) { return majority(n, s, w); }));
      g.wire(l, y + 1, Side::N, "N");
    }
    const bool raw = form_.raw_bits > 0, north = geo_.raw_leaves_north();
    if (raw && north) g.put(l, y, Side::N, sum), g.wire(l, y - 1, Side::S, Side::N, y);
    if ((raw && !north) || sign_at_row_end()) g.wire(l + 1, y, Side::W, Side::E, geo_.width - l - 1);
    if (!geo_.strips) return;
    lay_word(g, l + 1, y);
    if (geo_.copies != Copies::kInStrips) lay_copy(g, group);
  }

  /// From the row's end at column R down to the strip, with the constant that comes down the same column.
  void lay_word(Layout& g, int x, int y) {
    if (geo_.constant_above) {
      g.wire(x, 0, Side::N, Side::S, y);
      g.put(x, y, Side::S, lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }));
      g.put(x, y, Side::E, lut([](bool n, bool e, bool, bool w) { return majority(n, e, w); }));
      g.wire(x + 1, y, Side::W, "W");
      add_constant_stream({Side::N, x, x + kSumFront}, form_.strip_constant);
    } else {
      g.wire(x, y, Side::W, "S");
    }
    for (int below = y + 1; below < geo_.strip_y; ++below) {
      if (!in_delay_line(x, below)) g.wire(x, below, Side::N, "S");
    }
  }

  bool in_delay_line(int x, int y) const {
    return y >= geo_.line_y && y < geo_.line_y + line_.rows && x >= geo_.left(geo_.line_groups - 1) && geo_.line_groups > 0;
  }

  void lay_copy(Layout& g, int group) {
    const int l = geo_.left(group), r = l + 1, y = geo_.group_y[static_cast<size_t>(group)];
    if (group < geo_.line_groups) {
      g.place(line_.layout, l, geo_.line_y);
      const int behind = geo_.line_y + line_.rows;
      g.wire(l, behind, Side::N, Side::S, geo_.strip_y - behind);
      return;
    }
    const bool below = geo_.copies == Copies::kBelow;
    const int east = below ? y + 2 : y, west = east - 1;
    if (below)
      g.wire(r, east, Side::N, "E");
    else if (g.is_free(r, east, Side::E))  // else the raw sum runs there
      g.wire(r, east, Side::W, "E");
    for (int x = r + 1; x < r + geo_.reach; ++x) {
      if (g.is_free(x, east, Side::E)) g.wire(x, east, Side::W, "E");
    }
    g.wire(r + geo_.reach, east, Side::W, "N");
    g.wire(r + geo_.reach, west, Side::S, Side::W, geo_.reach + 1);
    g.wire(l, west, Side::E, Side::S, geo_.strip_y - west);
  }

  void lay_strips(Layout& g) {
    if (!geo_.strips) return;
    for (int r = 0; r < groups(); ++r) {
      const bool first = r == groups() - 1;  // from the west
      int y = geo_.strip_y, slot = 0;
      int phase = geo_.left(r) + 1 + y + kSumFront;  // (R, y) reads slot 0
      for (const StripStamp* stamp : chain(r)) {
        g.place(stamp->layout, geo_.left(r), y);
        if (first) lay_lanes(g, *stamp, y, phase);
        y += stamp->rows;
        phase += stamp->delay + 1;
        slot += stamp->slot_shift;
        if (first) strip_delay_ += stamp->delay;
      }
      const uint32_t width = words_ ? form_.raw_bits : form_.clamp ? static_cast<uint32_t>(form_.clamp->width) : 1;
      if (form_.sign) slot = form_.word_slots - 1;
      const int column = geo_.left(r) + (clamp_ ? 0 : 1);
      for (uint32_t k = 0; k < width; ++k) results_.push_back({Side::S, column, phase - 1 + 2 * (slot + static_cast<int>(k))});
    }
  }

  void lay_lanes(Layout& g, const StripStamp& stamp, int y, int phase) {
    for (const Lane& lane : stamp.lanes) {
      g.wire(0, y + lane.row, Side::W, Side::E, geo_.corner_x);
      kernel_.constants.push_back({{Side::W, y + lane.row, phase + lane.phase - geo_.corner_x}, lane.slots});
    }
  }

  /// Control streams of the clamps from the south border.
  void lay_feeds() {
    if (!clamp_) return;
    for (int r = 0; r < groups(); ++r) {
      int phase = geo_.left(r) + 1 + geo_.strip_y + kSumFront;
      for (const StripStamp* stamp : chain(r)) {
        if (stamp != &clamp_->stamp) phase += stamp->delay + 1;
      }
      for (const StripFeed& feed : clamp_->feeds)
        kernel_.constants.push_back({{Side::S, geo_.left(r) + feed.column, phase + feed.phase}, feed.slots});
    }
  }

  void place_resident_words() {
    int y = 0;
    for (const RowGroup& group : form_.groups) {
      for (const PlaneRow& row : group.planes) {
        for (size_t c = 0; c < row.residents.size(); ++c) {
          const ResidentDigit& d = row.residents[c];
          kernel_.residents.push_back({d.bit, 2 * static_cast<int>(c), y, mac_cell(d.zero), mac_cell(d.one)});
        }
        ++y;
      }
    }
  }

  void connect_inputs() {
    for (int c = 0; c < geo_.columns; ++c) add_word(form_.columns[static_cast<size_t>(c)], {Side::N, 2 * c + 1, 2 * c + 1});
    for (int r = 0; r < groups(); ++r) {
      const auto& residual = form_.groups[static_cast<size_t>(r)].residual;
      if (!residual) continue;
      const int x = geo_.left(r) + (geo_.strips_only ? 1 : 0);
      add_word(*residual, {Side::N, x, x + kSumFront});
      if (words_) add_word(*form_.groups[static_cast<size_t>(r)].planes[0].start_word, {Side::N, x - 1, x - 1 + kSumFront});
    }
  }

  void add_word(const Word& word, BitSlot slot) {
    for (uint32_t k = 0; k < word.bits; ++k) {
      kernel_.inputs.push_back({word.first + k, {slot.side, slot.position, slot.phase + 2 * static_cast<int>(k + word.shift)}, 1});
      if ((word.rest >> k) & 1) kernel_.resting_ones.push_back(word.first + k);
    }
  }

  /// Moves all phases by an even number so that the first input bit is read in phase 0 or 1, and constants into their first period.
  void normalise_phases() {
    int first = 0;
    if (!kernel_.inputs.empty()) {
      first = std::min_element(kernel_.inputs.begin(), kernel_.inputs.end(), [](const InputSlot& a, const InputSlot& b) {
                return a.slot.phase < b.slot.phase;
              })->slot.phase;
    }
    const int by = first >= 0 ? -(first & ~1) : (-first + 1) & ~1;
    for (InputSlot& in : kernel_.inputs) in.slot.phase += by;
    for (BitSlot& out : kernel_.outputs) out.phase += by;
    const int period = 2 * kernel_.ii;
    for (ConstantStream& c : kernel_.constants) c.slot.phase = ((c.slot.phase + by) % period + period) % period;
  }

  const BitSerialForm& form_;
  MappedKernel kernel_;
  Geometry geo_;
  std::optional<StripStamp> words_, constant_;
  std::optional<FlatClamp> clamp_;
  DelayLine line_{Layout(2, 1), 0};
  std::vector<StripStamp> multipliers_;
  std::vector<BitSlot> raw_, results_;
  int strip_delay_ = 0;
};

/// Every partial sum stays within 0 .. 2^P - 1: the word-serial carries have no reset.
[[maybe_unused]] bool sums_fit(const BitSerialForm& form) {
  const int64_t limit = int64_t{1} << form.word_slots;
  for (const RowGroup& group : form.groups) {
    int64_t total = group.residual ? static_cast<int64_t>(group.residual->max << group.residual->shift) : 0;
    int64_t scale = int64_t{1} << (group.planes.size() - 1);
    for (const PlaneRow& row : group.planes) {
      int64_t low = row.start_word ? 0 : row.start, high = row.start_word ? static_cast<int64_t>(row.start_word->max) : row.start;
      if (row.start_word) low = int64_t{1} << 40;  // the lowering keeps input words above their guard (it knows their smallest value)
      for (size_t c = 0; c < form.columns.size(); ++c) {
        const auto x = static_cast<int64_t>(form.columns[c].max << form.columns[c].shift);
        const int lo = row.residents.empty() ? row.weights[c] : std::min(row.residents[c].zero, row.residents[c].one);
        const int hi = row.residents.empty() ? row.weights[c] : std::max(row.residents[c].zero, row.residents[c].one);
        if (lo < 0) low -= x;
        if (hi > 0) high += x;
      }
      if (low < 0) return false;
      total += scale * high;
      scale /= 2;
    }
    if (total >= limit) return false;
  }
  return true;
}

}  // namespace

MappedKernel map_bit_serial(const std::string& name, const BitSerialForm& form, uint32_t input_bits, BitSerialStats* stats) {
  assert(!form.groups.empty() && form.word_slots > 0 && sums_fit(form));
  return BitSerialBuilder(name, form, input_bits).build(stats);
}

BitSerialSize bit_serial_size(const BitSerialForm& form) {
  assert(!form.groups.empty() && form.word_slots > 0);
  return BitSerialBuilder("", form, 0).size();
}

int64_t bit_serial_cells(int columns, int groups, int planes, bool strips, int strip_rows) {
  const int64_t width = 2 * columns + (planes > 1 ? 2 : 0) + (strips ? 2 * groups + 1 : 0);
  return width * (int64_t{groups} * planes + (strips ? strip_rows : 1));
}

}  // namespace bitgrid::mapping
