#include "lowering/mapping/matrix/popcount_wave.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ir/error.h"
#include "ir/index.h"
#include "ir/output_cone.h"
#include "lowering/mapping/canvas.h"

namespace bitgrid::mapping {
namespace {

/// A row in normal form: the count starts at 2^top - theta' and the answer is whether it ever reaches 2^top.
struct RowPlan {
  std::vector<int8_t> weights;
  bool invert = false;           // the answer leaves inverted: the complemented weights are counted
  std::optional<bool> constant;  // no cells needed
  int top = 0;                   // bit that is sticky
  int height = 0;                // rows of cells
  uint64_t start = 0;
};

struct WavePlan {
  bool parity = false;  // columns carry prefix parities, and the ones bit of all counts with them: there is no row for bit 0
  uint32_t inputs = 0;  // at least kLeastPart
  std::vector<RowPlan> rows;
  bool constants = false;

  int bottom_bit() const { return parity ? 1 : 0; }
  /// Phases by which the bottom row of an output runs behind the word that goes south through it.
  int delay() const { return parity ? 2 : 0; }
  int header() const { return parity ? 1 : 0; }
  int footer() const { return parity || constants ? 1 : 0; }
  int height() const {
    int h = header() + footer();
    for (const RowPlan& row : rows) h += row.height;
    return h;
  }
  /// Inputs that the first part's column 0 takes besides one of its own.
  uint32_t lead(const InputPart& part) const { return part.first > 0 ? 0 : parity ? 2 : 1; }
  /// Parity lines: column c adds input lead + c, the last one from the east border. Else the last column adds one more from there.
  int columns(const InputPart& part) const { return int_of(part.count - lead(part)) - (parity ? 0 : 1); }
};

RowPlan plan_row(const PopcountRow& row, uint32_t inputs, bool parity) {
  RowPlan plan;
  plan.weights = row.weights;
  plan.weights.resize(inputs, parity ? 1 : 0);  // what no port drives is 0 and agrees with no +1
  const auto used = std::ssize(plan.weights) - std::count(plan.weights.begin(), plan.weights.end(), 0);
  int64_t theta = row.theta;
  if (theta <= 0 || theta > used) {
    plan.constant = theta <= 0;
    return plan;
  }
  plan.invert = theta > used + 1 - theta;  // count >= theta <=> not (used - count >= used + 1 - theta)
  if (plan.invert) {
    for (int8_t& w : plan.weights) w = static_cast<int8_t>(-w);
    theta = used + 1 - theta;
  }
  const int bottom = parity ? 1 : 0;
  plan.top = std::max(bottom, int_of(std::bit_width(static_cast<uint64_t>(theta - 1))));
  plan.height = plan.top - bottom + 1;
  plan.start = (uint64_t{1} << plan.top) - static_cast<uint64_t>(theta);
  return plan;
}

WavePlan make_wave_plan(const PopcountForm& form) {
  WavePlan plan;
  plan.parity = std::all_of(form.rows.begin(), form.rows.end(), [](const PopcountRow& r) {
    return std::none_of(r.weights.begin(), r.weights.end(), [](int8_t w) { return w == 0; });
  });
  plan.inputs = std::max(form.inputs, kLeastPart);
  for (const PopcountRow& row : form.rows) {
    PopcountRow padded = row;
    // Padding must not make a constant 0 of too high a theta look like a count.
    if (row.theta > static_cast<int64_t>(form.inputs)) padded.theta = int64_t{plan.inputs} + 1;
    plan.rows.push_back(plan_row(padded, plan.inputs, plan.parity));
    plan.constants |= plan.rows.back().constant.has_value();
  }
  return plan;
}

class WaveBuilder {
 public:
  WaveBuilder(const std::string& name, const PopcountForm& form, const WavePlan& plan, const InputPart& part)
      : form_(form),
        plan_(plan),
        part_(part),
        columns_(plan.columns(part)),
        first_(part.first == 0),
        last_(part.first + part.count == plan.inputs),
        layout_(columns_, plan.height()) {
    kernel_.name = name;
    kernel_.strategy = "popcount-wave";
  }

  MappedKernel build() {
    if (plan_.parity) {
      lay_encoder();
    } else {
      for (int c = 0; c < columns_; ++c) add_input(own(c), Side::N, c, c);
    }
    int y = plan_.header();
    for (const RowPlan& row : plan_.rows) {
      if (row.constant) {
        if (last_) add_constant(*row.constant);
        continue;
      }
      lay_row(row, y);
      y += row.height;
    }
    if (plan_.height() == plan_.header() + plan_.footer()) add_idle_inputs();
    lay_footer();
    kernel_.grid = layout_.config();
    kernel_.input_bits = std::min(part_.count, form_.inputs - part_.first) + state_in_;
    kernel_.output_bits = id_of(kernel_.outputs.size());
    raise_lead(kernel_);
    return std::move(kernel_);
  }

 private:
  int east() const { return columns_ - 1; }
  /// The part's input that column c's line takes from its north port; none in the column that takes up the parity of an earlier part.
  int own(int c) const {
    if (!plan_.parity) return int_of(added(c));
    if (c == 0) return first_ ? 0 : -1;
    return int_of(plan_.lead(part_)) + c - 1;
  }
  /// The part's input that column c adds to the counts.
  uint32_t added(int c) const { return plan_.lead(part_) + id_of(c); }

  void add_input(int input, Side side, int position, int phase) {
    if (input < 0 || part_.first + id_of(input) >= form_.inputs) return;  // padding
    kernel_.inputs.push_back({id_of(input), {side, position, phase}, 1});
  }
  void add_state(Side side, int position, int phase) { kernel_.inputs.push_back({part_.count + state_in_++, {side, position, phase}, 1}); }

  /// Row 0: prefix parities east and south.
  void lay_encoder() {
    const Lut parity = lut([](bool n, bool, bool, bool w) { return n ^ w; });
    for (int c = 0; c < columns_; ++c) {
      layout_.put(c, 0, Side::S, parity);
      if (c < east()) layout_.put(c, 0, Side::E, parity);
      add_input(own(c), Side::N, c, c);
    }
    if (first_) {
      add_input(1, Side::W, 0, 0);
    } else {
      add_state(Side::W, 0, 0);
    }
    if (!last_) {
      layout_.put(east(), 0, Side::E, lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }));
      add_input(int_of(part_.count) - 1, Side::E, 0, east());
      kernel_.outputs.push_back({Side::E, 0, east()});
    }
  }

  void lay_row(const RowPlan& row, int y_top) {
    const int y_bottom = y_top + row.height - 1, phase = y_bottom + plan_.delay();
    for (int c = 0; c < columns_; ++c) {
      for (int y = y_top; y <= y_bottom; ++y) {
        if (plan_.parity || y + 1 < layout_.height()) layout_.put(c, y, Side::S, kFromN);
      }
      if (plan_.parity) {
        lay_parity_adder(row, c, y_bottom);
        layout_.put(c, y_top, Side::N, kFromN);  // the output above wants the parity a cycle later
        if (c > 0) layout_.put(c, y_bottom, Side::W, kFromN);
      } else {
        lay_adder(row, c, y_bottom);
      }
      for (int j = 1; j < row.height; ++j) lay_upper(row, c, y_bottom - j, j);
    }
    if (first_) {
      add_input(plan_.parity ? 1 : 0, Side::W, y_bottom, phase);
    } else {
      for (int j = 0; j < row.height; ++j) add_state(Side::W, y_bottom - j, phase + j);
    }
    add_input(int_of(part_.count) - 1, Side::E, y_bottom, east() + phase);
    if (last_) {
      kernel_.outputs.push_back({Side::E, y_top, east() + phase + row.height - 1});
    } else {
      for (int j = 0; j < row.height; ++j) kernel_.outputs.push_back({Side::E, y_bottom - j, east() + phase + j});
    }
  }

  bool answers(int c) const { return last_ && c == east(); }

  /// Bit 1 of the count. S: the column's prefix parity, a cycle old; E: that of the next column, or in the last column an input itself.
  void lay_parity_adder(const RowPlan& row, int c, int y) {
    const bool raw = c == east(), opening = first_ && c == 0, sticky = row.height == 1;
    const uint32_t input = part_.first + added(c);
    bool flip = row.start & 1;  // ones bit of the count = prefix parity ^ flip
    for (uint32_t i = 0; i < input; ++i) flip ^= row.weights[i] < 0;
    const auto total = [&](bool e, bool s, bool w) {
      const int z = agrees(raw ? e : s ^ e, row.weights[input]);
      if (!opening) return 2 * w + (s ^ flip) + z;
      return int_of(row.start & 3) + agrees(s ^ w, row.weights[0]) + agrees(w, row.weights[1]) + z;
    };
    const bool invert = row.invert && answers(c) && sticky;
    layout_.put(c, y, Side::E, lut([&](bool, bool e, bool s, bool w) {
                  const int t = total(e, s, w);
                  return (sticky ? t >= 2 : (t >> 1 & 1) != 0) ^ invert;
                }));
    if (!sticky) layout_.put(c, y, Side::N, lut([&](bool, bool e, bool s, bool w) { return total(e, s, w) >> 2 & 1; }));
  }

  /// Bit 0 of the count. N: the column's input; in the last column E: one more.
  void lay_adder(const RowPlan& row, int c, int y) {
    const bool opening = first_ && c == 0, two = c == east(), sticky = row.height == 1;
    const uint32_t input = part_.first + added(c);
    const auto total = [&](bool n, bool e, bool w) {
      const int before = opening ? int_of(row.start & 1) + agrees(w, row.weights[0]) : w;
      return before + agrees(n, row.weights[input]) + (two ? agrees(e, row.weights[input + 1]) : 0);
    };
    const bool invert = row.invert && answers(c) && sticky;
    layout_.put(c, y, Side::E, lut([&](bool n, bool e, bool, bool w) {
                  const int t = total(n, e, w);
                  return (sticky ? t >= 1 : (t & 1) != 0) ^ invert;
                }));
    if (!sticky) layout_.put(c, y, Side::N, lut([&](bool n, bool e, bool, bool w) { return total(n, e, w) >> 1 & 1; }));
  }

  /// Bit bottom_bit + j: W the bit, S the carry from below.
  void lay_upper(const RowPlan& row, int c, int y, int j) {
    const bool opening = first_ && c == 0, top = j == row.height - 1;
    const bool start = row.start >> (plan_.bottom_bit() + j) & 1, invert = row.invert && answers(c) && top;
    layout_.put(c, y, Side::E, lut([&](bool, bool, bool s, bool w) {
                  const bool bit = opening ? start : w;
                  return (top ? bit || s : bit ^ s) ^ invert;
                }));
    if (!top) layout_.put(c, y, Side::N, lut([&](bool, bool, bool s, bool w) { return (opening ? start : w) && s; }));
  }

  /// The last row returns the parities to the last output; constant answers leave from its corner.
  void lay_footer() {
    if (plan_.footer() == 0) return;
    const int y = layout_.height() - 1;
    if (plan_.parity) {
      for (int c = 0; c < columns_; ++c) layout_.put(c, y, Side::N, kFromN);
    }
    if (plan_.constants && last_) layout_.put(east(), y, Side::E, Lut{0xFFFF});
  }

  /// Where all answers are constant: ports for the inputs that enter at rows of counts otherwise.
  void add_idle_inputs() {
    if (first_ && !plan_.parity) add_input(0, Side::W, 0, 0);
    if (last_ || !plan_.parity) add_input(int_of(part_.count) - 1, Side::E, 0, east());
  }

  void add_constant(bool value) {
    const int y = layout_.height() - 1;
    kernel_.outputs.push_back(value ? BitSlot{Side::E, y, east() + y} : BitSlot{Side::S, east(), east() + y});
  }

  const PopcountForm& form_;
  const WavePlan& plan_;
  const InputPart part_;
  const int columns_;
  const bool first_, last_;
  Layout layout_;
  MappedKernel kernel_;
  uint32_t state_in_ = 0;
};

}  // namespace

void check_form(const std::string& name, const PopcountForm& form) {
  const std::string where = "kernel " + name;
  if (form.inputs == 0 || form.rows.empty()) throw Error(where, "a popcount layer without inputs or without outputs", "give it both");
  for (size_t r = 0; r < form.rows.size(); ++r) {
    const auto& weights = form.rows[r].weights;
    if (weights.size() != form.inputs)
      throw Error(where, fmt::format("output {} has {} weights for {} inputs", r, weights.size(), form.inputs),
                  "give one weight per input");
    for (size_t c = 0; c < weights.size(); ++c) {
      if (weights[c] < -1 || weights[c] > 1)
        throw Error(where, fmt::format("weight {} of output {} is {}", c, r, weights[c]), "the parallel form takes -1, 0 and 1");
    }
  }
}

MappedKernel map_popcount_wave(const std::string& name, const PopcountForm& form, PopcountWaveStats* stats) {
  return map_popcount_wave(name, form, {0, std::max(form.inputs, kLeastPart)}, stats);
}

MappedKernel map_popcount_wave(const std::string& name, const PopcountForm& form, const InputPart& part, PopcountWaveStats* stats) {
  check_form(name, form);
  const WavePlan plan = make_wave_plan(form);
  if (part.count < kLeastPart || part.first > plan.inputs || part.count > plan.inputs - part.first ||
      (part.first > 0 && part.first < kLeastPart)) {
    throw Error("kernel " + name,
                fmt::format("inputs {} .. {} are not part of {} inputs", part.first, int64_t{part.first} + part.count - 1, form.inputs),
                fmt::format("cut within the inputs, into parts of {} and more", kLeastPart));
  }
  MappedKernel kernel = WaveBuilder(name, form, plan, part).build();
  if (stats) {
    const int64_t cells = int64_t{kernel.grid.width} * kernel.grid.height;
    const int64_t macs = int64_t{std::min(part.count, form.inputs - part.first)} * std::ssize(form.rows);
    *stats = {plan.parity, kernel.grid.width, kernel.grid.height, cells, static_cast<double>(macs) / static_cast<double>(cells)};
  }
  return kernel;
}

int64_t popcount_wave_cells(const PopcountForm& form) {
  const WavePlan plan = make_wave_plan(form);
  return int64_t{plan.columns({0, plan.inputs})} * plan.height();
}

uint32_t popcount_wave_state_bits(const PopcountForm& form) {
  const WavePlan plan = make_wave_plan(form);
  return id_of(plan.height() - plan.footer());
}

CountState popcount_wave_state(const PopcountForm& form) {
  const WavePlan plan = make_wave_plan(form);
  CountState state;
  state.parity = plan.parity;
  state.bits = plan.parity ? 1 : 0;
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    const RowPlan& row = plan.rows[r];
    state.constant.push_back(row.constant);
    if (row.constant) continue;
    RunningCount count{r, row.weights, row.top, row.start, row.invert, {}};
    count.weights.resize(form.inputs);
    for (int b = 0; b <= row.top; ++b) count.bit.push_back(b < plan.bottom_bit() ? -1 : int_of(state.bits++));
    state.counts.push_back(std::move(count));
  }
  return state;
}

std::pair<int, int> popcount_wave_size(const PopcountForm& form, const InputPart& part) {
  const WavePlan plan = make_wave_plan(form);
  return {plan.columns({part.first, std::max(part.count, kLeastPart)}), plan.height()};
}

}  // namespace bitgrid::mapping
