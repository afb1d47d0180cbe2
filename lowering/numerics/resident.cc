#include "lowering/numerics/resident.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/numerics/kernel_dag.h"

namespace bitgrid::numerics {
namespace {

struct DigitPair {
  int8_t zero, one;
};

/// What a bit of a resident number adds, most significant first: sum of 2^p * digit = value.
std::vector<DigitPair> digits_of(const Encoding& e) {
  if (e.scale == 2) return {{-1, 1}};  // one bit: -1 or 1
  std::vector<DigitPair> digits(e.bits, {0, 1});
  if (e.zero[0] != 0) {
    assert(e.zero[0] == -(int64_t{1} << (e.bits - 1)));
    digits[0] = {-1, 0};  // offset binary
  }
  return digits;
}

int64_t largest_stream_sum(const ResidentLayer& layer) {
  return layer.matrix.columns * static_cast<int64_t>(std::max<uint64_t>(1, layer.stream_max) << layer.stream_shift);
}

int64_t term_zero(const ResidentLayer& layer) {
  return layer.term ? layer.term->zero : 0;
}

/// Guard of a plane: its digits may be -1 in every column.
int64_t guard(const ResidentLayer& layer, const DigitPair& digit) {
  return digit.zero < 0 || digit.one < 0 ? largest_stream_sum(layer) : 0;
}

bool place_constants(const ResidentLayer& layer, ResidentPlan& plan) {
  const auto digits = digits_of(layer.matrix.encoding);
  const size_t planes = digits.size();
  const int64_t unit = int64_t{1} << plan.left;
  plan.upper_guard = 0;
  for (size_t i = 0; i + 1 < planes; ++i) plan.upper_guard += unit * guard(layer, digits[i]) << (planes - 1 - i);
  const int64_t least = unit * guard(layer, digits.back());
  int64_t top = 0;
  for (const int64_t total : plan.end.total) {
    const int64_t start = total - plan.upper_guard + unit * term_zero(layer);
    if (start + (layer.start ? unit * layer.start->lo : 0) < least) return false;
    top = std::max(top, total + unit * (resident_sums(layer).hi + (layer.start ? layer.start->hi : 0)));
  }
  if (layer.start) {
    plan.start_zero = plan.end.total[0] - plan.upper_guard + unit * term_zero(layer);
    plan.start_bits = id_of(std::bit_width(start_code(plan, layer.start->hi)));
  }
  // A plane above the bottom one is heard doubled: its own word must fit as well, and does where the total fits.
  plan.word_slots = std::max(plan.end.min_word_slots, bits_of(top + plan.upper_guard));
  const uint32_t words = std::max(layer.stream_shift + layer.stream_bits, layer.term ? layer.term->bits : 0) + id_of(plan.left);
  plan.word_slots = std::max(plan.word_slots, int_of(std::max(words, plan.start_bits)));
  return true;
}

/// Bit `bit` of each number of row `row`.
NodeId row_plane(Dag& dag, NodeId port, const ResidentMatrix& m, int row, uint32_t bit) {
  std::vector<NodeId> slices;
  for (int c = 0; c < m.columns; ++c) slices.push_back(add_slice(dag, port, id_of(m.index(row, c)) * m.encoding.bits + bit, 1));
  return pack(dag, slices);
}

}  // namespace

Range resident_sums(const ResidentLayer& layer) {
  const Encoding& e = layer.matrix.encoding;
  const int64_t largest = ((int64_t{1} << e.bits) - 1) * e.scale + e.zero[0];
  const int64_t n = largest_stream_sum(layer);
  Range sums{std::min<int64_t>(0, e.zero[0]) * n, std::max<int64_t>(0, largest) * n};
  if (layer.term) sums = sums + Range{layer.term->zero, layer.term->zero + static_cast<int64_t>(layer.term->max)};
  return sums;
}

ResidentPlan plan_resident(const ResidentLayer& layer) {
  Range range = resident_sums(layer);
  if (layer.start) range = range + *layer.start;
  const std::vector<Range> y(index_of(layer.matrix.rows), range);
  ResidentPlan plan;
  if (const auto* rq = std::get_if<Requantise>(&layer.activation)) {
    const NormalRequantise n = normalise(*rq, layer.matrix.rows, false);
    plan.left = n.left;
    for (int extra = 0;; ++extra) {
      plan.end = plan_clamp(n, y, extra);
      if (place_constants(layer, plan)) return plan;
      assert(extra < 40 && "a higher bias always fits");
    }
  }
  if (const auto* sign = std::get_if<Sign>(&layer.activation)) {
    for (int p = sign_word_slots(*sign, y);; ++p) {
      plan.end = plan_sign(*sign, y, p);
      if (place_constants(layer, plan) && plan.word_slots == p) return plan;
      assert(p < 60 && "a higher bias always fits");
    }
  }
  throw Error(layer.name, "sums of dynamic numbers need a requantisation or a sign", "add `requantise` or `sign`");
}

BitSerialForm resident_form(const ResidentLayer& layer, const ResidentPlan& plan) {
  const ResidentMatrix& m = layer.matrix;
  const uint32_t start_bit = id_of(m.columns) * layer.stream_bits;
  const uint32_t term_bit = start_bit + (layer.start ? id_of(m.rows) * plan.start_bits : 0);
  const uint32_t matrix_bit = term_bit + (layer.term ? id_of(m.rows) * layer.term->bits : 0);
  const auto digits = digits_of(m.encoding);
  const auto left = id_of(plan.left);
  BitSerialForm form;
  for (int c = 0; c < m.columns; ++c)
    form.columns.push_back({id_of(c) * layer.stream_bits, layer.stream_bits, layer.stream_shift + left, layer.stream_max});
  for (int r = 0; r < m.rows; ++r) {
    RowGroup group;
    for (size_t i = 0; i < digits.size(); ++i) {
      PlaneRow row;
      const auto bit = id_of(digits.size() - 1 - i);
      for (int c = 0; c < m.columns; ++c) {
        row.residents.push_back({matrix_bit + id_of(m.index(r, c)) * m.encoding.bits + bit, digits[i].zero, digits[i].one});
      }
      if (bit > 0) {
        row.start = guard(layer, digits[i]) << plan.left;
      } else if (layer.start) {
        row.start_word = Word{start_bit + id_of(r) * plan.start_bits, plan.start_bits, 0, start_code(plan, layer.start->hi),
                              static_cast<uint64_t>(guard(layer, digits[i]) << plan.left)};
      } else {
        row.start = plan.end.total[index_of(r)] - plan.upper_guard + (term_zero(layer) * (int64_t{1} << plan.left));
      }
      group.planes.push_back(std::move(row));
    }
    if (layer.term) group.residual = Word{term_bit + id_of(r) * layer.term->bits, layer.term->bits, left, layer.term->max};
    group.multiplier = plan.end.multiplier[index_of(r)];
    group.multiplier_constant = plan.end.multiplier_constant[index_of(r)];
    form.groups.push_back(std::move(group));
  }
  form.sign = plan.end.sign;
  form.multiply = plan.end.multiply;
  if (!form.sign) form.clamp = plan.end.clamp;
  form.word_slots = plan.word_slots;
  return form;
}

Kernel resident_kernel(const ResidentLayer& layer, const ResidentPlan& plan, const std::string& name) {
  const ResidentMatrix& m = layer.matrix;
  Kernel out;
  out.name = name;
  Dag& dag = out.dag;
  dag.name = name;
  const uint32_t stream_bits = id_of(m.columns) * layer.stream_bits;
  const NodeId x = add_input(dag, "x", stream_bits);
  out.inputs.push_back({m.columns, layer.stream_bits, {layer.stream_max}});
  out.bit_macs = int64_t{m.rows} * stream_bits;
  NodeId start = 0;
  const uint32_t all_start_bits = layer.start ? id_of(m.rows) * plan.start_bits : 0;
  if (layer.start) {
    start = add_input(dag, "start", all_start_bits);
    // Verification draws from 0 up; the smallest code that occurs is that of lo, which it must respect.
    out.inputs.push_back({m.rows,
                          plan.start_bits,
                          {start_code(plan, layer.start->hi)},
                          std::vector<uint64_t>(index_of(m.rows), start_code(plan, layer.start->lo))});
  }
  NodeId term = 0;
  const uint32_t all_term_bits = layer.term ? id_of(m.rows) * layer.term->bits : 0;
  if (layer.term) {
    term = add_input(dag, "r", all_term_bits);
    out.inputs.push_back({m.rows, layer.term->bits, {layer.term->max}});
  }
  const NodeId port = add_input(dag, "m", id_of(m.rows * m.columns) * m.encoding.bits, true);
  out.inputs.push_back({m.rows * m.columns, m.encoding.bits, {(uint64_t{1} << m.encoding.bits) - 1}});

  const auto width = id_of(plan.word_slots) + (plan.end.sign ? 0 : 1);
  const auto left = id_of(plan.left);
  const auto ones = id_of(std::bit_width(static_cast<unsigned>(m.columns)));
  std::vector<NodeId> planes;
  Sum all(dag, width);  // sum of the streams, for the zero of the resident numbers
  for (uint32_t b = 0; b < layer.stream_bits; ++b) {
    planes.push_back(bit_plane(dag, x, 0, m.columns, layer.stream_bits, b));
    all.add(add_node(dag, Op::kPopcount, ones, {planes.back()}), b + layer.stream_shift + left);
  }
  const int64_t zero = m.encoding.zero[0];
  const NodeId total = zero != 0 ? all.finish() : 0;
  std::vector<NodeId> results;
  for (int r = 0; r < m.rows; ++r) {
    Sum sum(dag, width);
    for (uint32_t k = 0; k < m.encoding.bits; ++k) {
      const NodeId row = row_plane(dag, port, m, r, k);
      for (uint32_t b = 0; b < layer.stream_bits; ++b) {
        const NodeId both = add_node(dag, Op::kAnd, id_of(m.columns), {row, planes[b]});
        sum.add(add_node(dag, Op::kPopcount, ones, {both}), k + b + (m.encoding.scale == 2 ? 1 : 0) + layer.stream_shift + left);
      }
    }
    if (zero != 0) sum.subtract(total, id_of(std::countr_zero(static_cast<uint64_t>(-zero))));
    if (layer.term) sum.add(add_slice(dag, term, id_of(r) * layer.term->bits, layer.term->bits), left);
    if (layer.start) {
      sum.add(add_slice(dag, start, id_of(r) * plan.start_bits, plan.start_bits));
      sum.add_constant(plan.upper_guard);
    } else {
      sum.add_constant(plan.end.total[index_of(r)] + term_zero(layer) * (int64_t{1} << plan.left));
    }
    results.push_back(result_node(dag, sum.finish(), plan.end, index_of(r), plan.end.total[index_of(r)]));
  }
  add_output(dag, "y", pack(dag, results));
  out.outputs.push_back({m.rows, plan.end.encoding.bits, {}});
  out.form.serial = resident_form(layer, plan);
  return out;
}

}  // namespace bitgrid::numerics
