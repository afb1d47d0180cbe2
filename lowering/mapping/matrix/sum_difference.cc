#include "lowering/mapping/matrix/sum_difference.h"

#include <algorithm>
#include <utility>

#include "ir/index.h"
#include "ir/output_cone.h"
#include "lowering/mapping/canvas.h"

namespace bitgrid::mapping {
namespace {

constexpr int kHeader = 3;     // rows above the array
constexpr int kPairFront = 4;  // slot 0 of a sum is read at (x, y) in phase x + y + 4
constexpr int kCells = 3;      // columns of a pair

bool has_the_form(const BitSerialForm& form) {
  if (form.columns.size() < 2 || form.strip_constant != 0 || form.multiply || form.clamp || (form.raw_bits == 0 && !form.sign))
    return false;
  const Word& like = form.columns[0];
  const bool equal = std::all_of(form.columns.begin(), form.columns.end(), [&](const Word& w) {
    return w.bits == like.bits && w.shift == like.shift && w.max == (uint64_t{1} << w.bits) - 1;
  });
  return equal && std::all_of(form.groups.begin(), form.groups.end(), [](const RowGroup& g) {
           return g.planes.size() == 1 && !g.residual && !g.planes[0].start_word && g.planes[0].residents.empty() &&
                  std::none_of(g.planes[0].weights.begin(), g.planes[0].weights.end(), [](int8_t w) { return w == 0; });
         });
}

class SumDifferenceBuilder {
 public:
  SumDifferenceBuilder(const std::string& name, const BitSerialForm& form, uint32_t input_bits)
      : form_(form),
        pairs_(int_of(form.columns.size() / 2)),
        odd_(form.columns.size() % 2 != 0),
        largest_(static_cast<int64_t>(form.columns[0].max << form.columns[0].shift)),
        layout_(kCells * pairs_ + (odd_ ? 2 : 1), kHeader + count_of(form.groups)) {
    kernel_.name = name;
    kernel_.strategy = "sum-difference";
    kernel_.input_bits = input_bits;
    kernel_.ii = form.word_slots;
  }

  MappedKernel build() {
    for (int p = 0; p < pairs_; ++p) lay_header(p);
    if (odd_) lay_last_column();
    add_lane();
    for (size_t r = 0; r < form_.groups.size(); ++r) lay_row(form_.groups[r].planes[0], kHeader + int_of(r));
    add_outputs();
    kernel_.grid = layout_.config();
    kernel_.output_bits = id_of(kernel_.outputs.size());
    kernel_.lead_cycles = (layout_.width() + layout_.height()) / 2 + 4 * form_.word_slots;
    raise_lead(kernel_);
    return std::move(kernel_);
  }

 private:
  void add_word(const Word& word, int x, int phase) {
    for (uint32_t k = 0; k < word.bits; ++k)
      kernel_.inputs.push_back({word.first + k, {Side::N, x, phase + 2 * int_of(k + word.shift)}, 1});
  }

  /// A full adder whose carry goes out east and is returned there; the sum goes south.
  void put_adder(int x, int y) {
    layout_.put(x, y, Side::S, lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }));
    layout_.put(x, y, Side::E, lut([](bool n, bool e, bool, bool w) { return majority(n, e, w); }));
    layout_.put(x + 1, y, Side::W, kFromW);
  }

  /// x1 + x2 down column 1 of the pair; x2 + (largest - x1) down column 2, where it is read two phases before the other.
  void lay_header(int p) {
    const int x = kCells * p;
    const Word& x1 = form_.columns[index_of(2 * p)];
    const Word& x2 = form_.columns[index_of(2 * p + 1)];
    for (int c = 0; c < kCells; ++c) layout_.put(x + c, 0, Side::E, kFromW);  // lane: ones in the slots of x1
    add_word(x1, x + 1, x + 1);
    layout_.put(x + 1, 0, Side::S, lut([](bool n, bool, bool, bool w) { return n ^ w; }));
    layout_.wire(x + 1, 1, Side::N, "E");
    add_word(x2, x + 2, x + 2);
    layout_.wire(x + 2, 0, Side::N, "S");
    put_adder(x + 2, 1);
    layout_.put(x + 2, 1, Side::W, kFromN);
    layout_.wire(x + 1, 1, Side::E, "S");
    layout_.wire(x + 2, 2, Side::N, "S");
    add_word(x1, x, x + 2);
    layout_.wire(x, 0, Side::N, "SSE");
    put_adder(x + 1, 2);
    layout_.put(x, 2, Side::S, kFromS);  // carries of the first row
  }

  void lay_last_column() {
    const int x = kCells * pairs_;
    add_word(form_.columns.back(), x + 1, x + 1 + kPairFront - 2);
    layout_.wire(x + 1, 0, Side::N, "SSS");
    layout_.put(x, 2, Side::S, kFromS);
  }

  void add_lane() {
    const Word& w = form_.columns[0];
    ConstantStream lane{{Side::W, 0, 0}, std::vector<uint8_t>(index_of(form_.word_slots))};
    for (uint32_t k = 0; k < w.bits; ++k) lane.bits[w.shift + k] = 1;
    kernel_.constants.push_back(std::move(lane));
  }

  /// N own carry, E the word, S the carry of the row below, W the partial sum.
  void put_accumulator(int x, int y, bool negative) {
    layout_.put(x, y, Side::E, lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }));
    layout_.put(x, y, Side::N,
                negative ? lut([](bool n, bool e, bool, bool w) { return majority(n, e, !w); })
                         : lut([](bool n, bool e, bool, bool w) { return majority(n, e, w); }));
    if (y + 1 < layout_.height()) layout_.put(x, y, Side::S, kFromS);
  }

  void lay_row(const PlaneRow& row, int y) {
    const bool more = y + 1 < layout_.height();
    int64_t start = row.start;
    for (int p = 0; p < pairs_; ++p) {
      const int x = kCells * p;
      const bool negative1 = row.weights[index_of(2 * p)] < 0, negative2 = row.weights[index_of(2 * p + 1)] < 0;
      const bool difference = negative1 != negative2;
      if (difference) start += negative2 ? largest_ : -largest_;
      put_accumulator(x, y, negative2);
      layout_.put(x + 1, y, Side::W, difference ? kFromE : kFromN);
      layout_.wire(x + 1, y, Side::W, "E");
      layout_.put(x + 2, y, Side::W, kFromN);
      layout_.wire(x + 2, y, Side::W, "E");
      if (more) layout_.wire(x + 1, y, Side::N, "S"), layout_.wire(x + 2, y, Side::N, "S");
    }
    const int x = kCells * pairs_;
    if (odd_) {
      put_accumulator(x, y, row.weights.back() < 0);
      layout_.put(x + 1, y, Side::W, kFromN);
      layout_.wire(x + 1, y, Side::W, "E");
      if (more) layout_.wire(x + 1, y, Side::N, "S");
    } else {
      layout_.wire(x, y, Side::W, "E");
    }
    ConstantStream stream{{Side::W, y, y + kPairFront}, std::vector<uint8_t>(index_of(form_.word_slots))};
    for (int k = 0; k < form_.word_slots; ++k) stream.bits[index_of(k)] = static_cast<uint8_t>((start >> k) & 1);
    kernel_.constants.push_back(std::move(stream));
  }

  void add_outputs() {
    const auto slot = [&](size_t r, int k) {
      const int y = kHeader + int_of(r);
      return BitSlot{Side::E, y, layout_.width() - 1 + y + kPairFront + 2 * k};
    };
    for (size_t r = 0; r < form_.groups.size(); ++r) {
      for (uint32_t k = 0; k < form_.raw_bits; ++k) kernel_.outputs.push_back(slot(r, int_of(k)));
    }
    for (size_t r = 0; form_.sign && r < form_.groups.size(); ++r) kernel_.outputs.push_back(slot(r, form_.word_slots - 1));
  }

  const BitSerialForm& form_;
  const int pairs_;
  const bool odd_;
  const int64_t largest_;
  Layout layout_;
  MappedKernel kernel_;
};

}  // namespace

std::optional<MappedKernel> map_sum_difference(const std::string& name, const BitSerialForm& form, uint32_t input_bits) {
  if (!has_the_form(form)) return std::nullopt;
  return SumDifferenceBuilder(name, form, input_bits).build();
}

std::optional<BitSerialSize> sum_difference_size(const BitSerialForm& form) {
  if (!has_the_form(form)) return std::nullopt;
  const int pairs = int_of(form.columns.size() / 2), rows = count_of(form.groups);
  const int width = kCells * pairs + (form.columns.size() % 2 != 0 ? 2 : 1), height = kHeader + rows;
  // The first word enters at column 1 of the first pair; the last row's last bit leaves east.
  const int first = 1 + 2 * int_of(form.columns[0].shift);
  const int slot = std::max(int_of(form.raw_bits), form.sign ? form.word_slots : 0) - 1;
  const int last = width - 1 + height - 1 + kPairFront + 2 * slot;
  return BitSerialSize{width, height, form.word_slots, (last - first + 2) / 2};
}

}  // namespace bitgrid::mapping
