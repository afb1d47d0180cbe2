#include "lowering/mapping/streamed/streamed_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#include "ir/error.h"
#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

constexpr uint32_t kColumnBits = 2;
constexpr uint32_t kMostSumBits = 62;
constexpr int64_t kMostFactor = int64_t{1} << 28;

/// Two bits of a weight, or all of it.
struct Digit {
  uint32_t low = 0;             // bit of the weight
  std::vector<int64_t> values;  // by code from `first` on
  uint32_t first = 0;
};

bool even_steps(const std::vector<int64_t>& values) {
  for (size_t k = 2; k < values.size(); ++k)
    if (values[k] - values[k - 1] != values[1] - values[0]) return false;
  return true;
}

std::vector<Digit> digits_of(const WeightCode& weights) {
  if (weights.bits <= kColumnBits) return {{0, weights.values, weights.first}};
  std::vector<Digit> digits;
  for (uint32_t low = 0; low < weights.bits; low += kColumnBits) {
    Digit digit{low, {}, 0};
    for (int64_t code = 0; code < int64_t{1} << std::min(kColumnBits, weights.bits - low); ++code)
      digit.values.push_back((code << low) * weights.values[1]);
    digits.push_back(std::move(digit));
  }
  return digits;
}

struct Range {
  int64_t least, most;
};
/// Of the products of a weight and any x.
Range products(const std::vector<int64_t>& values, const StreamedMatrix& m) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const std::array<int64_t, 4> all = {*low * m.least, *low * m.most, *high * m.least, *high * m.most};
  const auto [least, most] = std::minmax_element(all.begin(), all.end());
  return {*least, *most};
}

void check(const std::string& name, const StreamedMatrix& m) {
  const std::string where = "kernel " + name;
  if (m.x.empty()) throw Error(where, "a streamed matrix without inputs", "give it at least one");
  for (size_t i = 0; i < m.x.size(); ++i) {
    if (m.x[i] < m.least || m.x[i] > m.most)
      throw Error(where, fmt::format("x[{}] = {} lies outside {} .. {}", i, m.x[i], m.least, m.most), "widen the range");
  }
  const WeightCode& w = m.weights;
  if (w.bits < 1 || w.bits > 16 || w.values.empty() || w.first + w.values.size() != w.codes())
    throw Error(where, fmt::format("{} values from code {} for weights of {} bits", w.values.size(), w.first, w.bits),
                "give a value to each code from the first to the last; weights have 1 to 16 bits");
  if (w.bits > kColumnBits && (w.first != 0 || !even_steps(w.values)))
    throw Error(where, fmt::format("the values of weights of {} bits do not rise in equal steps", w.bits), "use codes from 0");
  for (const int64_t v :
       {m.least, m.most, *std::min_element(w.values.begin(), w.values.end()), *std::max_element(w.values.begin(), w.values.end())}) {
    if (v <= -kMostFactor || v >= kMostFactor) throw Error(where, fmt::format("{} has more than 28 bits", v), "use smaller numbers");
  }
  if (w.first == 0 && (w.values[0] != 0 || products(w.values, m).least < 0))
    throw Error(where, "code 0 must add nothing, and no other code may add less",
                "make x codes from 0 up, and make weight code 0 mean 0; subtract what that adds from the starts of the rows");
}

/// What the products of an input with a weight need so that none is negative. Only weights that do not use code 0 have any.
int64_t offset_of(const StreamedMatrix& m) {
  return m.weights.first == 0 ? 0 : std::max<int64_t>(0, -products(m.weights.values, m).least);
}

uint64_t added(const Digit& digit, uint64_t code, int64_t x, int64_t offset) {
  return code < digit.first ? 0 : static_cast<uint64_t>(digit.values[code - digit.first] * x + offset);
}

/// The column of one digit of input i; one-bit weights take input i + 1 as well.
StreamedColumn column_of(const StreamedMatrix& m, size_t i, const Digit& digit) {
  const int64_t offset = offset_of(m);
  const bool pair = m.weights.bits == 1 && i + 1 < m.x.size();
  const size_t codes = pair ? 4 : digit.first + digit.values.size();
  StreamedColumn column{id_of(i) * m.weights.bits + digit.low, std::vector<uint64_t>(codes)};
  for (size_t code = 0; code < codes; ++code)
    column.table[code] =
        pair ? added(digit, code & 1, m.x[i], offset) + added(digit, code >> 1, m.x[i + 1], offset) : added(digit, code, m.x[i], offset);
  return column;
}

}  // namespace

WeightCode unsigned_weights(uint32_t bits) {
  WeightCode code{bits, {}, 0};
  for (int64_t k = 0; k < int64_t{1} << bits; ++k) code.values.push_back(k);
  return code;
}

WeightCode ternary_weights() {
  return {2, {-1, 0, 1}, 1};
}

StreamedPlan plan_streamed(const std::string& name, const StreamedMatrix& m) {
  check(name, m);
  const size_t share = m.weights.bits == 1 ? 2 : 1;
  const int64_t offset = offset_of(m);
  StreamedPlan plan;
  plan.offset = offset * std::ssize(m.x);
  uint64_t largest = 0;  // of a table
  plan.sum_max = m.start_max;
  const std::vector<Digit> digits = digits_of(m.weights);
  for (const Digit& digit : digits) {
    const auto most = static_cast<uint64_t>(std::max<int64_t>(0, products(digit.values, m).most) + offset);
    largest = std::max(largest, most * share);
    plan.sum_max += most * m.x.size();
  }
  StreamedForm& form = plan.form;
  for (size_t i = 0; i < m.x.size(); i += share) {
    for (const Digit& digit : digits) form.columns.push_back(column_of(m, i, digit));
  }
  const auto bits = [](uint64_t value) { return id_of(std::bit_width(value)); };
  const uint32_t start_bits = std::max(m.start_bits, bits(m.start_max));
  form.table_bits = std::max(1U, bits(largest));
  form.sum_bits = std::max({form.table_bits + 1, bits(plan.sum_max), start_bits});
  if (form.sum_bits > kMostSumBits)
    throw Error("kernel " + name, fmt::format("sums of {} bits", form.sum_bits), "use smaller weights or inputs");
  if (start_bits > 0) form.start_word = Word{id_of(m.x.size()) * m.weights.bits, start_bits, 0, m.start_max, 0};
  return plan;
}

Kernel streamed_kernel(const std::string& name, const StreamedMatrix& m) {
  StreamedPlan plan = plan_streamed(name, m);
  const uint32_t bits = m.weights.bits, width = plan.form.sum_bits;
  const auto count = count_of(m.x);
  Kernel kernel;
  kernel.name = name;
  Dag& dag = kernel.dag;
  dag.name = name;
  const NodeId codes = add_input(dag, "weights", id_of(count) * bits);
  kernel.inputs.push_back({count, bits, {m.weights.codes() - 1}, {}});
  if (m.weights.first > 0) kernel.inputs[0].min_code.assign(m.x.size(), m.weights.first);
  NodeId sum = 0;
  if (plan.form.start_word) {
    sum = add_input(dag, "start", plan.form.start_word->bits);
    kernel.inputs.push_back({1, plan.form.start_word->bits, {m.start_max}, {}});
  } else {
    sum = add_constant(dag, width, 0);
  }
  const Digit whole{0, m.weights.values, m.weights.first};
  for (int i = 0; i < count; ++i) {
    std::vector<BitVector> table;
    for (uint64_t code = 0; code < m.weights.codes(); ++code) table.emplace_back(width, added(whole, code, m.x[index_of(i)], offset_of(m)));
    const NodeId product = add_lut(dag, add_slice(dag, codes, id_of(i) * bits, bits), table);
    sum = add_node(dag, Op::kAdd, width, {sum, product});
  }
  add_output(dag, "sum", sum);
  kernel.outputs.push_back({1, width, {plan.sum_max}, {}});
  kernel.bit_macs = int64_t{count} * bits;
  kernel.form.streamed = std::move(plan.form);
  return kernel;
}

namespace {

bool is_ternary(const StreamedShape& shape) {
  return shape.weights.bits == 2 && shape.weights.first == 1;
}

/// A matrix of the shape, whose tables hold any numbers yet. One-bit weights multiply x - least.
StreamedMatrix any_matrix(const std::string& name, const StreamedShape& shape) {
  const bool ternary = is_ternary(shape);
  if (!ternary && shape.weights.bits != 1)
    throw Error("kernel " + name, "only one-bit and ternary weights can use input words", "stream other weights as bit planes");
  const int64_t least = ternary ? shape.least : 0, most = ternary ? shape.most : shape.most - shape.least;
  return {std::vector<int64_t>(index_of(std::max(shape.inputs, 0)), least), least, most, shape.weights, 0, 0};
}

/// Turns numbers of the tables into input words, in the order of table_words. Returns how many.
uint32_t make_resident(StreamedForm& form, bool ternary) {
  uint32_t words = 0;
  for (StreamedColumn& column : form.columns) {
    column.residents.resize(column.table.size());
    for (size_t code = 1; code < column.table.size(); ++code) {
      if (ternary && code == 2) continue;
      column.table[code] = 0;
      column.residents[code] = words++ * form.table_bits;
    }
  }
  return words;
}

/// What a column adds, as a node: its tables' words chosen by the code.
NodeId chosen(Dag& dag, const StreamedColumn& column, uint32_t width, NodeId tables, NodeId code, uint32_t bits) {
  const auto number = [&](size_t c) {
    if (c >= column.table.size()) return add_constant(dag, bits, 0);
    if (!column.residents[c]) return add_constant(dag, bits, column.table[c]);
    return add_slice(dag, tables, *column.residents[c], bits);
  };
  const auto select = [&](uint32_t bit, NodeId one, NodeId zero) {
    return add_node(dag, Op::kSelect, bits, {width == 1 ? code : add_slice(dag, code, bit, 1), one, zero});
  };
  if (column.table.size() == 2) return select(0, number(1), number(0));
  return select(1, select(0, number(3), number(2)), select(0, number(1), number(0)));
}

}  // namespace

int table_words(const StreamedShape& shape) {
  return shape.weights.bits == 1 ? shape.inputs / 2 * 3 + shape.inputs % 2 : 2 * shape.inputs;
}

uint32_t table_bits(const StreamedShape& shape) {
  return plan_streamed("tables", any_matrix("tables", shape)).form.table_bits;
}

int64_t table_offset(const StreamedShape& shape) {
  return offset_of(any_matrix("tables", shape));
}

Kernel streamed_kernel(const std::string& name, const StreamedShape& shape) {
  const StreamedMatrix m = any_matrix(name, shape);
  const bool ternary = is_ternary(shape);
  StreamedPlan plan = plan_streamed(name, m);
  StreamedForm& form = plan.form;
  if (ternary) {
    const auto reach = static_cast<uint64_t>(std::max(std::abs(shape.least), std::abs(shape.most))) * m.x.size();
    form.sum_bits = std::max(form.table_bits + 1, id_of(std::bit_width(reach)) + 1);
    const uint64_t half = uint64_t{1} << (form.sum_bits - 1);
    form.start = (half - static_cast<uint64_t>(plan.offset)) & (2 * half - 1);
    plan.sum_max = 2 * half - 1;
  }
  const uint32_t words = make_resident(form, ternary), bits = shape.weights.bits, width = form.sum_bits,
                 weight_bit = words * form.table_bits;
  Kernel kernel;
  kernel.name = name;
  Dag& dag = kernel.dag;
  dag.name = name;
  const NodeId tables = add_input(dag, "tables", weight_bit, true);
  const NodeId codes = add_input(dag, "weights", id_of(shape.inputs) * bits);
  const auto most = static_cast<uint64_t>(2 * (ternary ? offset_of(m) : m.most));
  kernel.inputs.push_back({int_of(words), form.table_bits, {most}, {}});
  kernel.inputs.push_back({shape.inputs, bits, {m.weights.codes() - 1}, {}});
  if (m.weights.first > 0) kernel.inputs[1].min_code.assign(m.x.size(), m.weights.first);
  NodeId sum = add_constant(dag, width, form.start);
  for (StreamedColumn& column : form.columns) {
    const uint32_t code_bits = column.table.size() == 2 ? 1 : 2;
    const NodeId code = add_slice(dag, codes, column.first, code_bits);
    sum = add_node(dag, Op::kAdd, width, {sum, chosen(dag, column, code_bits, tables, code, form.table_bits)});
    column.first += weight_bit;
  }
  add_output(dag, "sum", sum);
  kernel.outputs.push_back({1, width, {plan.sum_max}, {}});
  kernel.bit_macs = int64_t{shape.inputs} * bits;
  kernel.form.streamed = std::move(form);
  return kernel;
}

uint64_t plane_sum_offset(int planes, uint64_t plane_max) {
  return plane_max << (planes - 1);
}

Kernel plane_sum_kernel(const std::string& name, int planes, uint64_t plane_max, bool negative_top) {
  if (planes < 1 || plane_max < 1 || std::bit_width(plane_max) + id_of(planes) > kMostSumBits)
    throw Error("kernel " + name, fmt::format("{} planes of sums up to {}", planes, plane_max), "use fewer planes, or smaller sums");
  const auto count = index_of(planes);
  const auto bits = id_of(std::bit_width(plane_max));
  const uint64_t most = (plane_max << count) - plane_max;  // with a top plane that is subtracted it is the same: its offset is its largest
  const auto width = id_of(std::bit_width(most));
  Kernel kernel;
  kernel.name = name;
  Dag& dag = kernel.dag;
  dag.name = name;
  const NodeId in = add_input(dag, "planes", id_of(planes) * bits);
  const uint64_t start = negative_top ? plane_sum_offset(planes, plane_max) : 0;
  NodeId sum = add_constant(dag, width, start);
  BitSerialForm form;
  for (uint32_t p = 0; p < count; ++p) {
    const NodeId plane = add_slice(dag, in, p * bits, bits);
    const NodeId shifted = p == 0 ? plane : add_node(dag, Op::kConcat, bits + p, {plane, add_constant(dag, p, 0)});
    sum = add_node(dag, negative_top && p + 1 == count ? Op::kSubtract : Op::kAdd, width, {sum, shifted});
    form.columns.push_back({p * bits, bits, p, plane_max, 0});
  }
  add_output(dag, "sum", sum);
  PlaneRow row{std::vector<int8_t>(count, 1), {}, static_cast<int64_t>(start), {}};
  if (negative_top) row.weights.back() = -1;
  form.groups.push_back({{row}, {}});
  form.raw_bits = width;
  form.word_slots = int_of(width);
  kernel.inputs.push_back({planes, bits, {plane_max}, {}});
  kernel.outputs.push_back({1, width, {most}, {}});
  kernel.form.serial = std::move(form);
  return kernel;
}

std::vector<StreamedMatrix> cut_streamed(const std::string& name, const StreamedMatrix& m, int inputs) {
  if (inputs < 2 || inputs % 2 != 0)
    throw Error("kernel " + name, fmt::format("parts of {} inputs", inputs), "use an even number of them, at least 2");
  std::vector<StreamedMatrix> parts;
  uint64_t start_max = m.start_max;
  uint32_t start_bits = m.start_bits;
  for (size_t first = 0; first < m.x.size(); first += index_of(inputs)) {
    StreamedMatrix part = m;
    const auto x = std::span(m.x).subspan(first, std::min(index_of(inputs), m.x.size() - first));
    part.x.assign(x.begin(), x.end());
    part.start_max = start_max;
    part.start_bits = start_bits;
    const StreamedPlan plan = plan_streamed(name, part);
    start_max = plan.sum_max;
    start_bits = plan.form.sum_bits;
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace bitgrid::mapping
