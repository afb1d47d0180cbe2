#include "lowering/mapping/matrix/popcount_ii2.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

#include "ir/error.h"
#include "ir/index.h"
#include "ir/output_cone.h"
#include "lowering/mapping/canvas.h"

namespace bitgrid::mapping {
namespace {

/// An output in normal form: the answer is whether the count, which starts at 2^top - theta for the band's top, ever reaches 2^top.
struct Ii2Counter {
  size_t output = 0;
  std::vector<int8_t> weights;
  int64_t theta = 0;
  bool invert = false;  // the complemented weights are counted
};

/// Two counters (or one) on the same rows: from the south the ones row of the second, that of the first, then bits 1 .. top of both.
struct Band {
  std::vector<Ii2Counter> counters;
  int top = 1;  // bit that is sticky

  int rows() const { return top + count_of(counters); }
  uint64_t start(size_t which) const { return (uint64_t{1} << top) - static_cast<uint64_t>(counters[which].theta); }
};

struct Ii2Plan {
  std::vector<Band> bands;
  std::vector<std::optional<bool>> constant;  // [output]: needs no cells

  int rows() const {
    int rows = 1;  // the last one returns inputs to the last band
    for (const Band& band : bands) rows += band.rows();
    return rows;
  }
};

int columns_of(uint32_t inputs) {
  return int_of((inputs + 1) / 2);
}

Ii2Plan make_ii2_plan(const PopcountForm& form) {
  Ii2Plan plan;
  std::vector<Ii2Counter> counters;
  for (size_t r = 0; r < form.rows.size(); ++r) {
    Ii2Counter counter{r, form.rows[r].weights, form.rows[r].theta, false};
    const auto used = std::ssize(counter.weights) - std::count(counter.weights.begin(), counter.weights.end(), 0);
    plan.constant.emplace_back();
    if (counter.theta <= 0 || counter.theta > used) {
      plan.constant.back() = counter.theta <= 0;
      continue;
    }
    counter.invert = counter.theta > used + 1 - counter.theta;  // count >= theta <=> not (used - count >= used + 1 - theta)
    if (counter.invert) {
      for (int8_t& w : counter.weights) w = static_cast<int8_t>(-w);
      counter.theta = used + 1 - counter.theta;
    }
    counters.push_back(std::move(counter));
  }
  // Neighbours on the same rows should want the same number of them.
  std::stable_sort(counters.begin(), counters.end(), [](const Ii2Counter& a, const Ii2Counter& b) { return a.theta > b.theta; });
  for (size_t i = 0; i < counters.size(); i += 2) {
    Band band;
    band.top = std::max(1, int_of(std::bit_width(static_cast<uint64_t>(counters[i].theta - 1))));
    for (size_t k = i; k < std::min(i + 2, counters.size()); ++k) band.counters.push_back(std::move(counters[k]));
    plan.bands.push_back(std::move(band));
  }
  return plan;
}

class Ii2Builder {
 public:
  Ii2Builder(const std::string& name, const PopcountForm& form, const Ii2Plan& plan, const InputPart& part)
      : plan_(plan),
        part_(part),
        columns_(columns_of(part.count)),
        first_(part.first == 0),
        last_(part.first + part.count == form.inputs),
        layout_(columns_, plan.rows()) {
    kernel_.name = name;
    kernel_.strategy = "popcount-ii2";
    kernel_.ii = 2;
    kernel_.lead_cycles = columns_ / 2 + 1;  // the clock comes from the east
    kernel_.outputs.resize(last_ ? form.rows.size() : 0);
  }

  MappedKernel build() {
    for (uint32_t i = 0; i < part_.count; ++i) {
      const auto c = int_of(i / 2);
      kernel_.inputs.push_back({i, {Side::N, c, c + 2 * int_of(i % 2)}, 1});
    }
    int y = 0;
    for (const Band& band : plan_.bands) {
      lay_band(band, y);
      y += band.rows();
    }
    for (int c = 0; c < columns_; ++c) layout_.put(c, y, Side::N, kFromN);
    if (last_) add_constants(y);
    kernel_.grid = layout_.config();
    kernel_.input_bits = part_.count + state_in_;
    kernel_.output_bits = id_of(kernel_.outputs.size());
    raise_lead(kernel_);
    return std::move(kernel_);
  }

 private:
  int east() const { return columns_ - 1; }
  /// Phase in which the first counter's bit is read in column 0 of a row `above` the first ones row.
  static int front(int y_ones, int above) { return y_ones + 2 + above; }

  void lay_band(const Band& band, int y_top) {
    const int y_ones = y_top + band.top;
    for (int c = 0; c < columns_; ++c) {
      for (int y = y_top; y < y_top + band.rows(); ++y) layout_.put(c, y, Side::S, kFromN);
      layout_.put(c, y_top, Side::N, kFromN);  // the band above wants the input a cycle later
      for (int j = 1; j <= band.top; ++j) lay_bit(band, c, y_ones - j, j);
      for (size_t k = 0; k < band.counters.size(); ++k) lay_ones(band, k, c, y_ones + int_of(k));
    }
    for (int j = 1; j <= band.top; ++j) add_ports(band, y_ones - j, front(y_ones, j), j);
    for (size_t k = 0; k < band.counters.size(); ++k) add_ones_ports(band, k, y_ones + int_of(k));
    if (last_) add_answers(band, y_top, east() + front(y_ones, band.top));
  }

  /// Bit j of both counts. W the bit, S the carry from below.
  void lay_bit(const Band& band, int c, int y, int j) {
    const bool top = j == band.top;
    if (top && last_ && c == east()) {  // E: whether the answer is inverted
      layout_.put(c, y, Side::E, lut([](bool, bool e, bool s, bool w) { return (w || s) != e; }));
      return;
    }
    layout_.put(c, y, Side::E,
                top ? lut([](bool, bool, bool s, bool w) { return w || s; }) : lut([](bool, bool, bool s, bool w) { return w != s; }));
    if (!top) layout_.put(c, y, Side::N, lut([](bool, bool, bool s, bool w) { return w && s; }));
  }

  /// Bit 0 of counter k. In its own cycle it adds the column's two inputs: N the later, S the earlier one. In the other cycle the first
  /// counter's row hands up the carry of the second's, and the second's returns the input that comes from the north. E: the clock.
  void lay_ones(const Band& band, size_t k, int c, int y) {
    const auto& weights = band.counters[k].weights;
    const uint32_t input = part_.first + 2 * id_of(c), end = part_.first + part_.count;
    const int8_t w0 = weights[input], w1 = input + 1 < end ? weights[input + 1] : int8_t{0};
    const bool polarity = (east() - c) % 2 == 0;  // a column west the clock is read a cycle later in the count's time
    const auto total = [=](bool n, bool s, bool w) { return w + agrees(s, w0) + agrees(n, w1); };
    layout_.put(c, y, Side::E, lut([&](bool n, bool, bool s, bool w) { return total(n, s, w) & 1; }));
    layout_.put(c, y, Side::N, lut([&](bool n, bool e, bool s, bool w) {
                  if (e == polarity) return total(n, s, w) >= 2;
                  return k == 0 ? s : n;
                }));
    if (c > 0) layout_.put(c, y, Side::W, kFromE);
  }

  void add_state(const BitSlot& slot) { kernel_.inputs.push_back({part_.count + state_in_++, slot, 1}); }

  void add_ports(const Band& band, int y, int phase, int bit) {
    if (first_) {
      ConstantStream start{{Side::W, y, phase}, {0, 0}};
      for (size_t k = 0; k < band.counters.size(); ++k) start.bits[k] = band.start(k) >> bit & 1;
      kernel_.constants.push_back(std::move(start));
    }
    for (size_t k = 0; k < band.counters.size(); ++k) {
      const int p = phase + 2 * int_of(k);
      if (!first_) add_state({Side::W, y, p});
      if (!last_) kernel_.outputs.push_back({Side::E, y, east() + p});
    }
  }

  void add_ones_ports(const Band& band, size_t k, int y) {
    const int phase = front(y, 0);
    if (first_) {
      kernel_.constants.push_back({{Side::W, y, phase}, {static_cast<uint8_t>(band.start(k) & 1), 0}});
    } else {
      add_state({Side::W, y, phase});
    }
    if (!last_) kernel_.outputs.push_back({Side::E, y, east() + phase});
    kernel_.constants.push_back({{Side::E, y, east() + phase}, {1, 0}});
  }

  void add_answers(const Band& band, int y, int phase) {
    ConstantStream inverted{{Side::E, y, phase}, {0, 0}};
    for (size_t k = 0; k < band.counters.size(); ++k) {
      inverted.bits[k] = band.counters[k].invert;
      kernel_.outputs[band.counters[k].output] = {Side::E, y, phase + 2 * int_of(k)};
    }
    kernel_.constants.push_back(std::move(inverted));
  }

  void add_constants(int y) {
    bool any = false;
    for (size_t r = 0; r < plan_.constant.size(); ++r) {
      if (!plan_.constant[r]) continue;
      any = true;
      kernel_.outputs[r] = *plan_.constant[r] ? BitSlot{Side::E, y, east() + y} : BitSlot{Side::S, east(), east() + y};
    }
    if (any) layout_.put(east(), y, Side::E, Lut{0xFFFF});
  }

  const Ii2Plan& plan_;
  const InputPart part_;
  const int columns_;
  const bool first_, last_;
  Layout layout_;
  MappedKernel kernel_;
  uint32_t state_in_ = 0;
};

}  // namespace

MappedKernel map_popcount_ii2(const std::string& name, const PopcountForm& form) {
  return map_popcount_ii2(name, form, {0, form.inputs});
}

MappedKernel map_popcount_ii2(const std::string& name, const PopcountForm& form, const InputPart& part) {
  check_form(name, form);
  if (part.count == 0 || part.first > form.inputs || part.count > form.inputs - part.first) {
    throw Error("kernel " + name,
                fmt::format("inputs {} .. {} are not part of {} inputs", part.first, int64_t{part.first} + part.count - 1, form.inputs),
                "cut within the inputs, into parts of 1 and more");
  }
  return Ii2Builder(name, form, make_ii2_plan(form), part).build();
}

uint32_t popcount_ii2_state_bits(const PopcountForm& form) {
  return popcount_ii2_state(form).bits;
}

CountState popcount_ii2_state(const PopcountForm& form) {
  Ii2Plan plan = make_ii2_plan(form);
  CountState state;
  state.constant = std::move(plan.constant);
  for (Band& band : plan.bands) {
    const auto counters = id_of(band.counters.size()), top = id_of(band.top);
    for (uint32_t k = 0; k < counters; ++k) {
      Ii2Counter& c = band.counters[k];
      RunningCount count{c.output, std::move(c.weights), band.top, band.start(k), c.invert, {}};
      count.bit.push_back(int_of(state.bits + top * counters + k));
      for (uint32_t j = 1; j <= top; ++j) count.bit.push_back(int_of(state.bits + (j - 1) * counters + k));
      state.counts.push_back(std::move(count));
    }
    state.bits += (top + 1) * counters;
  }
  return state;
}

PopcountIi2Size popcount_ii2_size(const PopcountForm& form) {
  return {columns_of(form.inputs), make_ii2_plan(form).rows()};
}

}  // namespace bitgrid::mapping
