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

NodeId or_of_magnitudes(Dag& dag, const Nodes& words) {
  Nodes sizes;
  for (const NodeId w : words) sizes.push_back(magnitude(dag, w));
  return or_of(dag, sizes);
}

Nodes products(Dag& dag, const Nodes& a, const Nodes& b) {
  Nodes out;
  for (size_t i = 0; i < a.size(); ++i) out.push_back(product_signed(dag, a[i], b[i]));
  return out;
}

/// A value cut by a common shift: `bits`, sign included.
NodeId cut(Dag& dag, NodeId v, NodeId shift, uint32_t bits) {
  return clamp(dag, rounded_shift(dag, v, shift), bits - 1);
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

Kernel gain_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("gain.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, true), gain = k.words("gain", words, kGainBits, true);
  const Nodes y = products(k.dag(), x, gain);
  k.out("y", y, bits + kGainBits, true);
  k.out("or_x", or_of_magnitudes(k.dag(), x), bits);
  k.out("or_y", or_of_magnitudes(k.dag(), y), bits + kGainBits);
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

Kernel signed_total_kernel(int ports, uint32_t bits) {
  Maker k(fmt::format("signed_total.{}x{}", ports, bits));
  Nodes x;
  for (int p = 0; p < ports; ++p) x.push_back(k.word(fmt::format("x{}", p), bits, true));
  k.out("y", signed_total(k.dag(), x), bits + bits_of_count(ports), true);
  return k.take();
}

Kernel shift_kernel(uint32_t bits, uint32_t keep) {
  Maker k(fmt::format("shift.{}to{}", bits, keep));
  const NodeId any = k.word("or", bits);
  k.out("shift", excess(k.dag(), bit_length(k.dag(), any), keep, kShiftBits), kShiftBits);
  return k.take();
}

Kernel magnitude_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("magnitude.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, true);
  k.out("or", or_of_magnitudes(k.dag(), x), bits);
  return k.take();
}

Kernel cut_kernel(int words, uint32_t bits, uint32_t to) {
  Maker k(fmt::format("cut.{}x{}to{}", words, bits, to));
  const Nodes x = k.words("x", words, bits, true);
  const NodeId shift = k.word("shift", kShiftBits);
  Nodes y;
  for (const NodeId v : x) y.push_back(cut(k.dag(), v, shift, to));
  k.out("y", y, to, true);
  return k.take();
}

Kernel cut_and_maximum_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("cut_maximum.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, true);
  const NodeId shift = k.word("shift", kShiftBits);
  Nodes y;
  for (const NodeId v : x) y.push_back(cut(k.dag(), v, shift, kCutBits));
  NodeId top = magnitude(k.dag(), y[0]);
  for (size_t i = 1; i < y.size(); ++i) top = maximum(k.dag(), top, magnitude(k.dag(), y[i]));
  k.out("y", y, kCutBits, true);
  k.out("largest", top, kCutBits - 1);
  return k.take();
}

Kernel squares_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("squares.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, true);
  const NodeId shift = k.word("shift", kShiftBits);
  Nodes squares;
  for (const NodeId v : x) {
    const NodeId b = cut(k.dag(), v, shift, kNormBits);
    squares.push_back(unsigned_as(k.dag(), product_signed(k.dag(), b, b), 2 * kNormBits - 2));
  }
  k.out("sum", unsigned_total(k.dag(), squares), 2 * kNormBits - 2 + bits_of_count(words));
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

Kernel code_kernel(int words, int code_bits) {
  Maker k(fmt::format("code.{}x{}", words, code_bits));
  const Nodes y = k.words("y", words, kCutBits, true);
  const NodeId reciprocal = k.word("reciprocal", kReciprocalBits), shift = k.word("shift", kCodeShiftBits);
  Nodes codes;
  for (const NodeId v : y) codes.push_back(rounded_shift(k.dag(), product_unsigned(k.dag(), v, reciprocal), shift));
  k.out("code", codes, id_of(code_bits), true);
  return k.take();
}

Kernel recentre_kernel(int words, uint32_t bits, uint32_t zero_bits, uint32_t to) {
  Maker k(fmt::format("recentre.{}x{}and{}to{}", words, bits, zero_bits, to));
  const Nodes x = k.words("x", words, bits, false), zero = k.words("zero", words, zero_bits, true);
  Nodes y;
  for (size_t i = 0; i < x.size(); ++i)
    y.push_back(signed_as(k.dag(), signed_sum(k.dag(), unsigned_as(k.dag(), x[i], bits + 1), zero[i]), to));
  k.out("y", y, to, true);
  return k.take();
}

Kernel unit_kernel() {
  Maker k("unit");
  const ScalarNode a = k.scalar_word("a"), b = k.scalar_word("b");
  const NodeId n = k.word("n", kExponentBits);
  k.out("unit", shifted(k.dag(), multiply(k.dag(), a, b), n));
  return k.take();
}

Kernel turn_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("turn.{}x{}", words, bits));
  Dag& d = k.dag();
  const Nodes x = k.words("x", words, bits, true), y = k.words("y", words, bits, true);
  const Nodes c = k.words("cosine", words, kGainBits, true), s = k.words("sine", words, kGainBits, true);
  Nodes across, up;
  for (size_t i = 0; i < x.size(); ++i) {
    across.push_back(signed_difference(d, product_signed(d, x[i], c[i]), product_signed(d, y[i], s[i])));
    up.push_back(signed_sum(d, product_signed(d, y[i], c[i]), product_signed(d, x[i], s[i])));
  }
  k.out("x_turned", across, bits + kGainBits + 1, true);
  k.out("y_turned", up, bits + kGainBits + 1, true);
  return k.take();
}

Kernel scale_kernel(int words, uint32_t bits, uint32_t to) {
  Maker k(fmt::format("scale.{}x{}to{}", words, bits, to));
  const Nodes x = k.words("x", words, bits, true);
  const ScalarNode unit = k.scalar_word("unit");
  Nodes y;
  for (const NodeId v : x) y.push_back(scaled(k.dag(), v, unit, to));
  k.out("y", y, to, true);
  return k.take();
}

Kernel add_scaled_kernel(int words, uint32_t base_bits, uint32_t bits) {
  Maker k(fmt::format("add_scaled.{}x{}and{}", words, base_bits, bits));
  const Nodes base = k.words("base", words, base_bits, true), x = k.words("x", words, bits, true);
  const ScalarNode unit = k.scalar_word("unit");
  Nodes y;
  for (size_t i = 0; i < x.size(); ++i) y.push_back(signed_sum(k.dag(), base[i], scaled(k.dag(), x[i], unit, base_bits)));
  k.out("y", y, base_bits, true);
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

Kernel gate_magnitude_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("gate_magnitude.{}x{}", words, bits));
  Dag& d = k.dag();
  const Nodes gate = k.words("gate", words, bits, true), up = k.words("up", words, bits, true);
  Nodes positive;
  for (const NodeId g : gate) positive.push_back(select(d, sign_of(d, g), number(d, bits, 0), g));
  k.out("or_gate", or_of(d, positive), bits);
  k.out("or_up", or_of_magnitudes(d, up), bits);
  return k.take();
}

Kernel relu_squared_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("relu_squared.{}x{}", words, bits));
  Dag& d = k.dag();
  const Nodes gate = k.words("gate", words, bits, true), up = k.words("up", words, bits, true);
  const NodeId gate_shift = k.word("gate_shift", kShiftBits), up_shift = k.word("up_shift", kShiftBits);
  Nodes y;
  for (size_t i = 0; i < gate.size(); ++i) {
    const NodeId positive = select(d, sign_of(d, gate[i]), number(d, bits, 0), gate[i]);
    const NodeId g = cut(d, positive, gate_shift, kGateBits), u = cut(d, up[i], up_shift, kGateBits);
    const NodeId magnitude_of_g = add_slice(d, g, 0, kGateBits - 1);
    y.push_back(product_unsigned(d, product_unsigned(d, u, magnitude_of_g), magnitude_of_g));
  }
  k.out("y", y, kProductBits, true);
  k.out("or", or_of_magnitudes(d, y), kProductBits);
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

Kernel row_scale_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("row_scale.{}x{}", words, bits));
  const Nodes z = k.words("z", words, bits, true), scale = k.words("scale", words, kGainBits, true);
  k.out("y", products(k.dag(), z, scale), bits + kGainBits, true);
  return k.take();
}

}  // namespace bitgrid::scales
