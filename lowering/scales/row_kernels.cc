#include "lowering/scales/row_kernels.h"

#include <fmt/format.h>

#include <cstdlib>

#include "lowering/scales/kernel_maker.h"
#include "lowering/scales/kernels.h"

namespace bitgrid::scales {
namespace {

char letter_of(NumberCode code) {
  switch (code) {
    case NumberCode::kUnsigned:
      return 'u';
    case NumberCode::kOffset:
      return 'o';
    case NumberCode::kTwos:
      break;
  }
  return 's';
}

/// The bits above the lowest one, and that one as a carry.
NodeId rounded_half(Dag& dag, NodeId f, NodeId carry) {
  const uint32_t to = width_of(dag, f) - 1;
  return add_node(dag, Op::kAdd, to, {add_slice(dag, f, 1, to), carry});
}

/// A table of powers of two: the bit that is set for a shift, or none.
template <typename Place>
Kernel power_table(const std::string& name, uint32_t shift_bits, uint32_t bits, Place place) {
  Maker k(name);
  std::vector<BitVector> table;
  for (uint32_t shift = 0; shift < uint32_t{1} << shift_bits; ++shift) {
    table.emplace_back(bits);
    if (place(shift) < bits) table.back().set(place(shift), true);
  }
  const NodeId shift = k.word("shift", shift_bits);
  k.out("power", add_lut(k.dag(), shift, table), bits);
  return k.take();
}

}  // namespace

Kernel product_kernel(const Factor& a, const Factor& b, uint32_t outputs, bool offset_result) {
  const uint32_t all = a.bits + b.bits;
  if (outputs == 0) outputs = all;
  const bool a_signed = a.code != NumberCode::kUnsigned, b_signed = b.code != NumberCode::kUnsigned;
  Maker k(fmt::format("product.{}{}x{}{}to{}{}", letter_of(a.code), a.bits, letter_of(b.code), b.bits, offset_result ? 'o' : 's', outputs));
  Dag& d = k.dag();
  const NodeId x = k.word("a", a.bits, a.code == NumberCode::kOffset), y = k.word("b", b.bits, b.code == NumberCode::kOffset);
  NodeId product = 0;
  if (a_signed && b_signed)
    product = product_signed(d, x, y);
  else if (a_signed || !b_signed)
    product = product_unsigned(d, a_signed ? x : unsigned_as(d, x, a.bits + 1), y);
  else
    product = product_unsigned(d, y, x);
  product = unsigned_as(d, product, outputs);
  k.out("product", product, outputs, offset_result);
  Kernel kernel = k.take();
  kernel.form.product = ProductForm{a, b, outputs, offset_result};
  return kernel;
}

Kernel length_kernel(uint32_t bits, NumberCode code) {
  Maker k(fmt::format("length.{}{}", letter_of(code), bits));
  Dag& d = k.dag();
  NodeId v = k.word("v", bits), next = k.word("next", bits);
  if (code == NumberCode::kOffset) {
    v = flipped(d, v);
    const NodeId highest = number(d, bits, int64_t{3} << (bits - 2));  // both are the highest bit, which is complemented
    next = add_node(d, Op::kXor, bits, {next, highest});
  }
  const NodeId lowest_one = add_node(d, Op::kAnd, bits, {v, negative(d, v)});
  const NodeId changes = add_node(d, Op::kXor, bits, {v, next});
  k.out("length", add_node(d, Op::kOr, bits, {changes, lowest_one}), bits);
  return k.take();
}

Kernel magnitude_kernel(uint32_t bits) {
  Maker k(fmt::format("magnitude.{}", bits));
  Dag& d = k.dag();
  const NodeId v = k.word("v", bits), signs = k.word("signs", bits);
  const NodeId turned = add_node(d, Op::kXor, bits, {v, signs});
  k.out("y", add_node(d, Op::kAdd, bits - 1, {turned, bit_of(d, signs, 0)}), bits - 1);
  return k.take();
}

Kernel positive_kernel(uint32_t bits) {
  Maker k(fmt::format("positive.{}", bits));
  Dag& d = k.dag();
  const NodeId v = k.word("v", bits), highest = k.word("highest", bits);
  k.out("y", add_node(d, Op::kAnd, bits - 1, {v, highest}), bits - 1);
  return k.take();
}

Kernel twos_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("twos.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, true);
  k.out("y", x, bits, false);
  return k.take();
}

Kernel overflow_kernel(uint32_t to) {
  Maker k(fmt::format("overflow.{}", to));
  Dag& d = k.dag();
  const NodeId f = k.word("f", to), next = k.word("next", to);
  const NodeId changes = add_node(d, Op::kXor, to, {f, next});
  const NodeId none_below = is_zero(d, add_slice(d, changes, 0, to - 1));
  k.out("overflow", add_node(d, Op::kAnd, 1, {none_below, bit_of(d, changes, to - 1)}), 1);
  return k.take();
}

/// The lower bits of what leaves the range are all ones, with a highest bit 0, or all zeros, with a 1. The former gets no carry, the latter
/// one at the next bit.
Kernel cut_kernel(uint32_t to, NumberCode code) {
  Maker k(fmt::format("cut.{}{}", letter_of(code), to));
  Dag& d = k.dag();
  const NodeId overflow = k.word("overflow", 1), f = k.word("f", to + 1);  // in this order a row of cells is found
  k.out("y", rounded_half(d, f, add_node(d, Op::kXor, 1, {bit_of(d, f, 0), overflow})), to, code == NumberCode::kOffset);
  return k.take();
}

Kernel round_kernel(uint32_t to, NumberCode code) {
  Maker k(fmt::format("round.{}{}", letter_of(code), to));
  const NodeId f = k.word("f", to + 1);
  k.out("y", rounded_half(k.dag(), f, bit_of(k.dag(), f, 0)), to, code == NumberCode::kOffset);
  return k.take();
}

Kernel add_rounded_kernel(uint32_t bits) {
  Maker k(fmt::format("add_rounded.{}", bits));
  Dag& d = k.dag();
  const NodeId base = k.word("base", bits), f = k.word("f", bits + 1);
  const NodeId half = add_slice(d, f, 1, bits);
  const NodeId sum = add_node(d, Op::kAdd, bits, {base, half});
  k.out("y", add_node(d, Op::kAdd, bits, {sum, bit_of(d, f, 0)}), bits);
  return k.take();
}

Kernel less_kernel(uint32_t bits) {
  Maker k(fmt::format("less.{}", bits));
  const NodeId a = k.word("a", bits), b = k.word("b", bits);
  k.out("less", add_node(k.dag(), Op::kLess, 1, {a, b}), 1);
  return k.take();
}

Kernel choose_kernel(uint32_t bits) {
  Maker k(fmt::format("choose.{}", bits));
  const NodeId second = k.word("second", 1), a = k.word("a", bits), b = k.word("b", bits);
  k.out("y", select(k.dag(), second, b, a), bits);
  return k.take();
}

Kernel sum_kernel(uint32_t bits) {
  Maker k(fmt::format("sum.{}", bits));
  const NodeId a = k.word("a", bits), b = k.word("b", bits);
  k.out("y", signed_sum(k.dag(), a, b), bits + 1);
  return k.take();
}

Kernel difference_kernel(uint32_t bits) {
  Maker k(fmt::format("difference.{}", bits));
  const NodeId a = k.word("a", bits), b = k.word("b", bits);
  k.out("y", signed_difference(k.dag(), a, b), bits + 1);
  return k.take();
}

Kernel sum_modulo_kernel(uint32_t a_bits, uint32_t b_bits, uint32_t to) {
  Maker k(fmt::format("sum.{}and{}modulo{}", a_bits, b_bits, to));
  const NodeId a = k.word("a", a_bits), b = k.word("b", b_bits);
  k.out("y", add_node(k.dag(), Op::kAdd, to, {a, b}), to);
  return k.take();
}

Kernel difference_modulo_kernel(uint32_t a_bits, uint32_t b_bits, uint32_t shift, uint32_t to) {
  Maker k(fmt::format("difference.{}and{}by{}modulo{}", a_bits, b_bits, shift, to));
  Dag& d = k.dag();
  const NodeId a = k.word("a", a_bits), b = k.word("b", b_bits);
  const NodeId higher = add_node(d, Op::kConcat, b_bits + shift, {b, number(d, shift, 0)});
  k.out("y", add_node(d, Op::kSubtract, to, {a, higher}), to);
  return k.take();
}

Kernel plus_constant_kernel(uint32_t bits, int64_t constant, uint32_t to) {
  const char* sign = constant < 0 ? "minus" : "plus";  // names of kernels become names of modules
  Maker k(fmt::format("{}.{}and{}modulo{}", sign, bits, std::abs(constant), to));
  const NodeId a = k.word("a", bits);
  k.out("y", add_node(k.dag(), Op::kAdd, to, {a, number(k.dag(), to, constant)}), to);
  return k.take();
}

Kernel power_kernel(uint32_t shift_bits, uint32_t bits) {
  return power_table(fmt::format("power.{}to{}", shift_bits, bits), shift_bits, bits, [](uint32_t shift) { return shift; });
}

Kernel falling_power_kernel(uint32_t shift_bits, uint32_t bits) {
  return power_table(fmt::format("falling_power.{}to{}", shift_bits, bits), shift_bits, bits,
                     [bits](uint32_t shift) { return bits - 1 - shift; });
}

Kernel negative_kernel(uint32_t bits) {
  Maker k(fmt::format("negative.{}", bits));
  const NodeId x = k.word("x", bits);
  k.out("y", negative(k.dag(), x), bits);
  return k.take();
}

Kernel complement_kernel(uint32_t bits) {
  Maker k(fmt::format("complement.{}", bits));
  const NodeId x = k.word("x", bits);
  k.out("y", add_node(k.dag(), Op::kNot, bits, {x}), bits);
  return k.take();
}

Kernel keep_kernel(uint32_t bits) {
  Maker k(fmt::format("keep.{}", bits));
  const NodeId condition = k.word("condition", 1), x = k.word("x", bits);
  k.out("y", select(k.dag(), condition, x, number(k.dag(), bits, 0)), bits);
  return k.take();
}

Kernel plus_bit_kernel(uint32_t bits, int64_t constant) {
  Maker k(fmt::format("plus_bit.{}and{}", bits, constant));
  Dag& d = k.dag();
  const NodeId bit = k.word("bit", 1), x = k.word("x", bits);
  const NodeId sum = add_node(d, Op::kAdd, bits, {x, bit});
  k.out("y", add_node(d, Op::kAdd, bits, {sum, number(d, bits, constant)}), bits);
  return k.take();
}

Kernel trial_kernel(uint32_t a_bits, uint32_t b_bits) {
  Maker k(fmt::format("trial.{}and{}", a_bits, b_bits));
  Dag& d = k.dag();
  const NodeId a = k.word("a", a_bits), b = k.word("b", b_bits);
  const NodeId less = add_node(d, Op::kLess, 1, {a, b});
  k.out("fits", add_node(d, Op::kNot, 1, {less}), 1);
  k.out("less", add_node(d, Op::kSubtract, b_bits, {a, b}), b_bits);
  return k.take();
}

Kernel append_kernel(uint32_t bits, uint32_t new_bits) {
  Maker k(fmt::format("append.{}and{}", bits, new_bits));
  Dag& d = k.dag();
  const NodeId x = k.word("x", bits), y = k.word("y", new_bits);
  k.out("appended", add_node(d, Op::kConcat, bits, {add_slice(d, x, 0, bits - new_bits), y}), bits);
  return k.take();
}

Kernel gather_kernel(int bits) {
  Maker k(fmt::format("gather.{}", bits));
  const Nodes x = k.words("x", bits, 1, false);
  const Nodes highest_first(x.rbegin(), x.rend());
  k.out("word", add_node(k.dag(), Op::kConcat, id_of(bits), highest_first), id_of(bits));
  return k.take();
}

Kernel root_trial_kernel(uint32_t bits) {
  Maker k(fmt::format("root_trial.{}", bits));
  Dag& d = k.dag();
  const NodeId x = k.word("x", bits);
  k.out("y", add_node(d, Op::kConcat, bits, {add_slice(d, x, 1, bits - 1), number(d, 1, 1)}), bits);
  return k.take();
}

Kernel root_plane_kernel() {
  Maker k("root_plane");
  Dag& d = k.dag();
  const NodeId odd = bit_of(d, k.word("e", kExponentBits), 0);
  const NodeId even = add_node(d, Op::kNot, 1, {odd});
  k.out("plane", add_node(d, Op::kConcat, 6, {number(d, 1, 1), even, odd, odd, odd, odd}), 6);  // 110000 or 101111
  return k.take();
}

Kernel at_least_one_kernel(uint32_t bits) {
  Maker k(fmt::format("at_least_one.{}", bits));
  Dag& d = k.dag();
  const NodeId x = k.word("x", bits), none = k.word("zero", 1);
  const NodeId lowest = add_node(d, Op::kOr, 1, {bit_of(d, x, 0), none});
  k.out("y", add_node(d, Op::kConcat, bits, {add_slice(d, x, 1, bits - 1), lowest}), bits);
  return k.take();
}

Kernel zero_kernel(uint32_t bits) {
  Maker k(fmt::format("zero.{}", bits));
  const NodeId x = k.word("x", bits);
  k.out("zero", is_zero(k.dag(), x), 1);
  return k.take();
}

Kernel whole_kernel(uint32_t bits, uint32_t to) {
  Maker k(fmt::format("whole.{}to{}", bits, to));
  Dag& d = k.dag();
  const NodeId x = k.word("x", bits), is_small = k.word("small", 1), positive = k.word("positive", 1);
  const NodeId large = add_node(d, Op::kAnd, 1, {add_node(d, Op::kNot, 1, {is_small}), positive});
  const NodeId low = select(d, is_small, x, number(d, bits, 0));
  k.out("y", unsigned_as(d, add_node(d, Op::kConcat, bits + 1, {large, low}), to), to);
  return k.take();
}

Kernel pack_kernel() {
  Maker k("pack");
  const NodeId m = k.word("m", kMantissaBits), e = k.word("e", kExponentBits);
  k.out("scalar", add_node(k.dag(), Op::kConcat, kScalarWord, {e, m}), kScalarWord);
  return k.take();
}

Kernel differ_kernel(uint32_t bits) {
  Maker k(fmt::format("differ.{}", bits));
  Dag& d = k.dag();
  const NodeId a = k.word("a", bits), b = k.word("b", bits);
  const NodeId changes = add_node(d, Op::kXor, bits, {a, b});
  k.out("differ", add_node(d, Op::kNot, 1, {is_zero(d, changes)}), 1);
  return k.take();
}

Kernel score_kernel() {
  Maker k("score");
  Dag& d = k.dag();
  const NodeId low = k.word("low", kScoreBits), far = k.word("far", 1), is_negative = k.word("negative", 1), written = k.word("written", 1);
  const int64_t most = (int64_t{1} << (kScoreBits - 1)) - 1;
  const NodeId end = select(d, is_negative, number(d, kScoreBits, -most), number(d, kScoreBits, most));
  const NodeId score = select(d, far, end, low);
  k.out("score", select(d, written, score, number(d, kScoreBits, -most - 1)), kScoreBits, true);
  return k.take();
}

}  // namespace bitgrid::scales
