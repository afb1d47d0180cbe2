#include "lowering/numerics/matrix.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numeric>

#include "ir/index.h"
#include "lowering/numerics/kernel_dag.h"

namespace bitgrid::numerics {
namespace {

uint64_t max_code(const Tensor& t, size_t channel) {
  return t.max_code[t.max_code.size() == 1 ? 0 : channel];
}
int64_t zero(const Tensor& t, size_t channel) {
  return t.encoding.zero[t.encoding.zero.size() == 1 ? 0 : channel];
}

/// Scales are powers of two: a code counts 2^shift times because it travels that many slots later.
uint32_t scale_shift(const Encoding& e) {
  return id_of(std::countr_zero(static_cast<uint64_t>(e.scale)));
}

/// Slots by which a tensor's words enter later.
uint32_t slot_shift(const Tensor& t, const MatrixPlan& plan) {
  return scale_shift(t.encoding) + id_of(plan.word_shift);
}

/// Range of the values of a channel over all codes up to its largest.
Range value_range(const Tensor& t, size_t channel) {
  return {zero(t, channel), decode(t.encoding, channel, max_code(t, channel))};
}

std::vector<Range> sum_ranges(const MatrixLayer& layer) {
  std::vector<Range> y;
  for (size_t r = 0; r < layer.weights.size(); ++r) {
    Range sum{0, 0};
    if (layer.residual) sum = value_range(*layer.residual, r);
    for (size_t c = 0; c < layer.weights[r].size(); ++c) {
      const Range x = value_range(*layer.operand, c);
      const int64_t w = layer.weights[r][c];
      sum = sum + Range{std::min(w * x.lo, w * x.hi), std::max(w * x.lo, w * x.hi)};
    }
    y.push_back(sum);
  }
  return y;
}

/// What the digits of one plane can take away from a partial sum. At least 1 for each that is negative: where a borrow is left over from
/// before the start, the sum must not stand at 0 either.
int64_t guard(const MatrixLayer& layer, const MatrixPlan& plan, const std::vector<int8_t>& digits) {
  int64_t g = 0;
  for (size_t c = 0; c < digits.size(); ++c) {
    if (digits[c] < 0) g += layer.operand->encoding.scale * std::max<int64_t>(1, static_cast<int64_t>(max_code(*layer.operand, c)));
  }
  return g << plan.word_shift;
}

/// Smallest constant of a row's stream: enough for the bottom plane, and what the planes above carry for themselves.
int64_t least_start(const MatrixLayer& layer, const MatrixPlan& plan, size_t row) {
  const std::vector<int64_t>& weights = plan.weights[row];
  if (weights.empty()) return 0;
  const auto planes = digit_planes(weights);
  int64_t start = 0;
  for (size_t p = 0; p < planes.size(); ++p) start += guard(layer, plan, planes[p]) << p;
  return start;
}

/// sum of zero[c] * weights[c], and the residual's zero: what codes leave out of the sum of values.
int64_t code_correction(const MatrixLayer& layer, const MatrixPlan& plan, size_t row) {
  const std::vector<int64_t>& weights = plan.weights[row];
  int64_t sum = layer.residual ? zero(*layer.residual, row) : 0;
  for (size_t c = 0; c < weights.size(); ++c) sum += weights[c] * zero(*layer.operand, c);
  return sum * (int64_t{1} << plan.word_shift);
}

int64_t bias(const MatrixLayer& layer, size_t row) {
  return layer.bias.empty() ? 0 : layer.bias[row];
}

/// Chooses start, strip_constant and P for a row end; false if some row's stream would have to start below its guard.
bool place_constants(const MatrixLayer& layer, MatrixPlan& plan) {
  const size_t rows = plan.weights.size();
  std::vector<int64_t> wanted(rows);  // start + strip_constant
  int64_t room = INT64_MAX;
  for (size_t r = 0; r < rows; ++r) {
    wanted[r] = (plan.end ? plan.end->total[r] : bias(layer, r)) + code_correction(layer, plan, r);
    room = std::min(room, wanted[r] - least_start(layer, plan, r));
  }
  if (!plan.end) {  // one zero for all rows, so that codes compare like values
    for (size_t r = 0; r < rows; ++r) plan.start[r] = wanted[r] - room;
    plan.strip_constant = 0;
  } else {
    if (room < 0) return false;
    // Sums that go on as they are should be small numbers; a requantisation without an array needs no row constants if all are equal.
    const bool equal = !layer.operand && std::all_of(wanted.begin(), wanted.end(), [&](int64_t w) { return w == wanted[0]; });
    plan.strip_constant = layer.raw || equal ? room : 0;
    for (size_t r = 0; r < rows; ++r) plan.start[r] = wanted[r] - plan.strip_constant;
  }
  plan.word_slots = plan.end ? plan.end->min_word_slots : 1;
  for (const Tensor* t : {layer.operand, layer.residual})  // every bit needs its slot, also where no weight or channel has use for it
    if (t) plan.word_slots = std::max(plan.word_slots, int_of(t->encoding.bits + slot_shift(*t, plan)));
  for (size_t r = 0; r < rows; ++r) {
    plan.sum_offset[r] = plan.start[r] - code_correction(layer, plan, r);
    int64_t words = layer.residual ? layer.residual->encoding.scale * static_cast<int64_t>(max_code(*layer.residual, r)) : 0;
    for (size_t c = 0; c < plan.weights[r].size(); ++c) {
      words += std::max<int64_t>(0, plan.weights[r][c]) * layer.operand->encoding.scale * static_cast<int64_t>(max_code(*layer.operand, c));
    }
    const int64_t top = plan.start[r] + (words << plan.word_shift);
    plan.word_slots = std::max(plan.word_slots, bits_of(top + plan.strip_constant));
    plan.raw_max_code[r] = static_cast<uint64_t>(top >> plan.word_shift);
  }
  return true;
}

std::vector<Word> words_of(const Tensor& t, const MatrixPlan& plan, uint32_t first_bit, int first, int count) {
  std::vector<Word> words;
  for (int c = first; c < first + count; ++c) {
    words.push_back({first_bit + id_of(c - first) * t.encoding.bits, t.encoding.bits, slot_shift(t, plan), max_code(t, index_of(c))});
  }
  return words;
}

KernelPort port_of(const Tensor& t, int first, int count) {
  KernelPort port{count, t.encoding.bits, t.max_code};
  if (port.max_code.size() > 1) port.max_code = {t.max_code.begin() + first, t.max_code.begin() + first + count};
  return port;
}

BitSerialForm bit_serial_form(const MatrixLayer& layer, const MatrixPlan& plan, int first, int count, uint32_t residual_bit) {
  BitSerialForm form;
  if (layer.operand) form.columns = words_of(*layer.operand, plan, 0, 0, layer.operand->count);
  std::vector<Word> residual;
  if (layer.residual) residual = words_of(*layer.residual, plan, residual_bit, first, count);
  for (int i = 0; i < count; ++i) {
    const auto r = index_of(first + i);
    RowGroup group;
    const auto planes = digit_planes(plan.weights[r]);
    int64_t rest = plan.start[r];
    for (size_t p = planes.size(); p-- > 0;) {
      const int64_t start = p > 0 ? guard(layer, plan, planes[p]) : rest;
      rest -= start << p;
      group.planes.push_back({planes[p], {}, start, std::nullopt});
    }
    if (layer.residual) group.residual = residual[index_of(i)];
    if (plan.end) {
      group.multiplier = plan.end->multiplier[r];
      group.multiplier_constant = plan.end->multiplier_constant[r];
    }
    form.groups.push_back(std::move(group));
  }
  if (layer.raw) form.raw_bits = plan.raw_encoding.bits;
  form.raw_shift = id_of(plan.word_shift);
  form.strip_constant = plan.strip_constant;
  if (plan.end) {
    form.sign = plan.end->sign;
    form.multiply = plan.end->multiply;
    if (!form.sign) form.clamp = plan.end->clamp;
  }
  form.word_slots = plan.word_slots;
  return form;
}

}  // namespace

MatrixPlan plan_matrix(const MatrixLayer& layer) {
  MatrixPlan plan;
  const size_t rows = layer.weights.size();
  plan.weights = layer.weights;
  plan.y = sum_ranges(layer);
  plan.start.resize(rows);
  plan.sum_offset.resize(rows);
  plan.raw_max_code.resize(rows);
  if (const auto* rq = std::get_if<Requantise>(&layer.activation)) {
    const NormalRequantise n = normalise(*rq, int_of(rows), layer.operand != nullptr && !layer.residual && !layer.raw);
    plan.word_shift = n.left;
    for (size_t r = 0; r < rows; ++r) {
      for (int64_t& w : plan.weights[r]) w *= n.weight_factor[r];
    }
    for (int extra = 0;; ++extra) {
      plan.end = plan_clamp(n, plan.y, extra);
      if (place_constants(layer, plan)) break;
      assert(extra < 40 && "a higher bias always fits");
    }
  } else if (const auto* sign = std::get_if<Sign>(&layer.activation)) {
    for (int p = sign_word_slots(*sign, plan.y);; ++p) {
      plan.end = plan_sign(*sign, plan.y, p);
      if (place_constants(layer, plan) && plan.word_slots == p) break;
      assert(p < 60 && "a higher bias always fits");
    }
  } else {
    place_constants(layer, plan);
  }
  plan.raw_encoding.bits = 1;
  for (size_t r = 0; r < rows; ++r) {
    plan.raw_encoding.bits = std::max(plan.raw_encoding.bits, id_of(bits_of(static_cast<int64_t>(plan.raw_max_code[r]))));
    plan.raw_encoding.zero.push_back(bias(layer, r) - (plan.sum_offset[r] >> plan.word_shift));
  }
  return plan;
}

Kernel matrix_kernel(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, int first, int count) {
  Kernel out;
  Dag& dag = out.dag;
  dag.name = name;
  out.name = name;
  std::vector<NodeId> planes;
  uint32_t operand_bits = 0;
  if (layer.operand) {
    const Tensor& x = *layer.operand;
    operand_bits = id_of(x.count) * x.encoding.bits;
    const NodeId port = add_input(dag, "x", operand_bits);
    for (uint32_t b = 0; b < x.encoding.bits; ++b) planes.push_back(bit_plane(dag, port, 0, x.count, x.encoding.bits, b));
    out.inputs.push_back(port_of(x, 0, x.count));
    out.bit_macs = int64_t{count} * operand_bits;
  }
  NodeId residual = 0;
  if (layer.residual) {
    residual = add_input(dag, "r", id_of(count) * layer.residual->encoding.bits);
    out.inputs.push_back(port_of(*layer.residual, first, count));
  }
  const auto width = id_of(plan.word_slots) + (plan.end && plan.end->sign ? 0 : 1);
  std::vector<NodeId> sums, results;
  for (int i = 0; i < count; ++i) {
    const auto r = index_of(first + i);
    Sum sum(dag, width);
    if (layer.operand) sum.add_products(planes, plan.weights[r], slot_shift(*layer.operand, plan));
    if (layer.residual) {
      const Encoding& e = layer.residual->encoding;
      sum.add(add_slice(dag, residual, id_of(i) * e.bits, e.bits), slot_shift(*layer.residual, plan));
    }
    sum.add_constant(plan.start[r]);
    const NodeId node = sum.finish();
    if (layer.raw) sums.push_back(add_slice(dag, node, id_of(plan.word_shift), plan.raw_encoding.bits));
    if (plan.end) results.push_back(result_node(dag, node, *plan.end, r, plan.sum_offset[r]));
  }
  if (layer.raw) {
    add_output(dag, "sum", pack(dag, sums));
    out.outputs.push_back({count, plan.raw_encoding.bits, {}});
  }
  if (plan.end) {
    add_output(dag, "y", pack(dag, results));
    out.outputs.push_back({count, plan.end->encoding.bits, {}});
  }
  out.form.serial = bit_serial_form(layer, plan, first, count, operand_bits);
  out.form.parallel = popcount_form(layer, first, count);
  return out;
}

BitSerialForm matrix_form(const MatrixLayer& layer, const MatrixPlan& plan, int first, int count) {
  const uint32_t operand_bits = layer.operand ? id_of(layer.operand->count) * layer.operand->encoding.bits : 0;
  return bit_serial_form(layer, plan, first, count, operand_bits);
}

std::optional<PopcountForm> popcount_form(const MatrixLayer& layer, int first, int count) {
  const auto* sign = std::get_if<Sign>(&layer.activation);
  if (!sign || !layer.operand || layer.residual || layer.raw || layer.operand->encoding.bits != 1 || layer.operand->count == 0)
    return std::nullopt;
  const Encoding& e = layer.operand->encoding;
  if (e.scale <= 0) return std::nullopt;
  PopcountForm form;
  form.inputs = id_of(layer.operand->count);
  for (int i = first; i < first + count; ++i) {
    const auto r = index_of(i);
    PopcountRow row;
    // sum of w * (zero + scale * code) + bias >= 0, with sum of w * code = agreements - number of weights -1
    int64_t negative = 0, rest = sign->bias.empty() ? 0 : sign->bias[r];
    for (size_t c = 0; c < layer.weights[r].size(); ++c) {
      const int64_t w = layer.weights[r][c];
      if (w < -1 || w > 1) return std::nullopt;
      row.weights.push_back(static_cast<int8_t>(w));
      negative += w < 0;
      rest += w * e.zero[e.zero.size() == 1 ? 0 : c];
    }
    const int64_t least = -rest;  // scale * (agreements - negative) >= least
    row.theta = negative + (least >= 0 ? (least + e.scale - 1) / e.scale : -(-least / e.scale));
    form.rows.push_back(std::move(row));
  }
  return form;
}

}  // namespace bitgrid::numerics
