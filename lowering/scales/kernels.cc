#include "lowering/scales/kernels.h"

#include <fmt/format.h>

#include <bit>

#include "ir/index.h"
#include "lowering/scales/kernel_maker.h"

namespace bitgrid::scales {
namespace {

NodeId or_of(Dag& dag, const Nodes& words) {
  NodeId all = words[0];
  for (size_t i = 1; i < words.size(); ++i) all = add_node(dag, Op::kOr, width_of(dag, all), {all, words[i]});
  return all;
}

NodeId excess(Dag& dag, NodeId length, uint32_t keep, uint32_t bits) {
  const uint32_t w = width_of(dag, length);
  const NodeId most = number(dag, w, keep), none = add_node(dag, Op::kLess, 1, {length, most});
  const NodeId over = add_node(dag, Op::kSubtract, w, {length, most});
  return unsigned_as(dag, select(dag, none, number(dag, w, 0), over), bits);
}

ScalarNode constant_scalar(Dag& dag, const Scalar& s) {
  return {number(dag, kMantissaBits, s.m), number(dag, kExponentBits, s.e)};
}

NodeId exponent_of(Dag& dag, NodeId shift, int64_t factor, int64_t plus) {
  const NodeId wide = unsigned_as(dag, shift, kExponentBits);
  const NodeId times = factor == 2 ? add_node(dag, Op::kAdd, kExponentBits, {wide, wide}) : wide;
  return add_node(dag, Op::kAdd, kExponentBits, {times, number(dag, kExponentBits, plus)});
}

}  // namespace

uint32_t bits_of_count(int count) {
  return id_of(std::bit_width(static_cast<unsigned>(count) - 1));
}

Kernel copy_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("copy.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, false);
  k.out("y", x, bits, false);
  return k.take();
}

Kernel or_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("or.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, false);
  k.out("y", or_of(k.dag(), x), bits);
  return k.take();
}

Kernel maximum_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("maximum.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, false);
  NodeId top = x[0];
  for (size_t i = 1; i < x.size(); ++i) top = maximum(k.dag(), top, x[i]);
  k.out("y", top, bits);
  return k.take();
}

Kernel total_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("total.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, false);
  k.out("y", unsigned_total(k.dag(), x), bits + bits_of_count(words));
  return k.take();
}

Kernel shift_kernel(uint32_t bits, uint32_t keep) {
  Maker k(fmt::format("shift.{}to{}", bits, keep));
  const NodeId any = k.word("or", bits);
  k.out("shift", excess(k.dag(), bit_length(k.dag(), any), keep, kShiftBits), kShiftBits);
  return k.take();
}

Kernel norm_kernel(uint32_t sum_bits, int code_bits) {
  Maker k(fmt::format("norm.{}to{}", sum_bits, code_bits));
  Dag& d = k.dag();
  const NodeId sum = k.word("sum", sum_bits), shift_x = k.word("shift_x", kShiftBits), eps = k.word("eps", kEpsBits);
  const NodeId largest = k.word("largest", kCutBits - 1), shift_y = k.word("shift_y", kShiftBits);
  const ScalarNode code_scale = k.scalar_word("code_scale");
  const NodeId doubled = add_node(d, Op::kConcat, kShiftBits + 1, {shift_x, number(d, 1, 0)});
  const NodeId small_eps = shift_down_unsigned(d, eps, doubled);
  const NodeId all = add_node(d, Op::kAdd, kEpsBits + 1, {sum, small_eps});
  const NodeId mean = select(d, is_zero(d, all), number(d, kEpsBits + 1, 1), all);
  const ScalarNode rms = square_root(d, scalar(d, mean, exponent_of(d, shift_x, 2, 0)));
  const ScalarNode top = scalar(d, largest, exponent_of(d, shift_y, 1, 0));
  k.out("unit", divide(d, multiply(d, top, code_scale), rms));
  // reciprocal = floor(top << k / largest), k = bit length of the largest + 16 - bits.
  const NodeId shift = add_node(d, Op::kAdd, kCodeShiftBits, {bit_length(d, largest), number(d, kCodeShiftBits, 16 - code_bits)});
  const int64_t most = (int64_t{1} << (code_bits - 1)) - 1;
  const NodeId over = shift_up(d, number(d, id_of(code_bits), most), shift, 2 * kReciprocalBits);
  const NodeId by = select(d, is_zero(d, largest), number(d, kCutBits - 1, 1), largest);
  k.out("reciprocal", quotient(d, over, by), kReciprocalBits);
  k.out("shift", shift, kCodeShiftBits);
  return k.take();
}

Kernel unit_kernel() {
  Maker k("unit");
  const ScalarNode a = k.scalar_word("a"), b = k.scalar_word("b");
  const NodeId n = k.word("n", kExponentBits);
  k.out("unit", shifted(k.dag(), multiply(k.dag(), a, b), n));
  return k.take();
}

Kernel score_unit_kernel() {
  Maker k("score_unit");
  Dag& d = k.dag();
  const ScalarNode unit = k.scalar_word("unit");
  const NodeId shift = k.word("shift", kShiftBits), n = k.word("n", kExponentBits);
  const ScalarNode constant = k.scalar_word("constant");
  k.out("score", multiply(d, shifted(d, shifted(d, unit, n), unsigned_as(d, shift, kExponentBits)), constant));
  return k.take();
}

Kernel weight_kernel(int words, const ScaledTables& tables) {
  Maker k(fmt::format("weight.{}", words));
  Dag& d = k.dag();
  const Nodes scores = k.words("score", words, kScoreBits, false);
  const NodeId top = k.word("top", kScoreBits);
  std::vector<BitVector> table;
  for (const int32_t v : tables.exponential) {
    BitVector word(kWeightBits);
    for (uint32_t b = 0; b < kWeightBits; ++b) word.set(b, (v >> b & 1) != 0);
    table.push_back(word);
  }
  const auto index_bits = id_of(std::bit_width(tables.exponential.size()) - 1);
  Nodes weights;
  for (const NodeId s : scores) {
    const NodeId below = add_node(d, Op::kSubtract, kScoreBits, {top, s});
    const NodeId power = add_lut(d, add_slice(d, below, 0, index_bits), table);
    const NodeId w = rounded_shift(d, unsigned_as(d, power, kWeightBits + 1), add_slice(d, below, 4, kScoreBits - 4));
    weights.push_back(select(d, is_zero(d, s), number(d, kWeightBits, 0), unsigned_as(d, w, kWeightBits)));
  }
  k.out("weight", weights, kWeightBits, false);
  return k.take();
}

Kernel reciprocal_kernel(uint32_t sum_bits) {
  Maker k(fmt::format("reciprocal.{}", sum_bits));
  Dag& d = k.dag();
  const NodeId sum = k.word("sum", sum_bits);
  k.out("reciprocal", divide(d, constant_scalar(d, bitgrid::scalar(1)), scalar(d, sum, number(d, kExponentBits, 0))));
  return k.take();
}

Kernel align_kernel(int words) {
  Maker k(fmt::format("align.{}", words));
  Dag& d = k.dag();
  const Nodes weights = k.words("weight", words, kWeightBits, false), shifts = k.words("shift", words, kShiftBits, false);
  const NodeId top = k.word("top", kShiftBits);
  Nodes out;
  for (size_t i = 0; i < weights.size(); ++i) {
    const NodeId by = add_node(d, Op::kSubtract, kShiftBits, {top, shifts[i]});
    out.push_back(unsigned_as(d, rounded_shift(d, unsigned_as(d, weights[i], kWeightBits + 1), by), kWeightBits));
  }
  k.out("y", out, kWeightBits, false);
  return k.take();
}

Kernel mix_unit_kernel(int n) {
  Maker k(fmt::format("mix_unit.{}", n));
  const ScalarNode reciprocal = k.scalar_word("reciprocal");
  const NodeId shift = k.word("shift", kShiftBits);
  k.out("unit", shifted(k.dag(), reciprocal, exponent_of(k.dag(), shift, 1, n)));
  return k.take();
}

Kernel gate_eps_kernel() {
  Maker k("gate_eps");
  Dag& d = k.dag();
  const ScalarNode gate = k.scalar_word("gate"), up = k.scalar_word("up"), eps = k.scalar_word("eps_constant");
  const NodeId gate_shift = k.word("gate_shift", kShiftBits), up_shift = k.word("up_shift", kShiftBits);
  const NodeId product_shift = k.word("product_shift", kShiftBits);
  const ScalarNode p = shifted(d, gate, unsigned_as(d, gate_shift, kExponentBits));
  const NodeId both = add_node(d, Op::kAdd, kExponentBits, {up_shift, product_shift});
  const ScalarNode unit = multiply(d, multiply(d, p, p), shifted(d, up, both));
  k.out("eps", whole(d, divide(d, eps, multiply(d, unit, unit))), kEpsBits);
  return k.take();
}

}  // namespace bitgrid::scales
