#include "lowering/scales/scalar_words.h"

#include <cassert>

#include "lowering/scales/words.h"

namespace bitgrid::scales {
namespace {

constexpr int64_t kMostExponent = (int64_t{1} << (kExponentBits - 1)) - 1;

NodeId exponent_sum(Dag& dag, NodeId a, NodeId b) {
  return add_node(dag, Op::kAdd, kExponentBits, {signed_as(dag, a, kExponentBits), signed_as(dag, b, kExponentBits)});
}

NodeId exponent_plus(Dag& dag, NodeId a, int64_t n) {
  return exponent_sum(dag, a, number(dag, kExponentBits, n));
}

NodeId exponent_difference(Dag& dag, NodeId a, NodeId b) {
  return add_node(dag, Op::kSubtract, kExponentBits, {signed_as(dag, a, kExponentBits), signed_as(dag, b, kExponentBits)});
}

}  // namespace

ScalarNode unpack_scalar(Dag& dag, NodeId word) {
  return {add_slice(dag, word, 0, kMantissaBits), add_slice(dag, word, kMantissaBits, kExponentBits)};
}

NodeId pack_scalar(Dag& dag, const ScalarNode& a) {
  return add_node(dag, Op::kConcat, kScalarWord, {a.e, a.m});
}

uint64_t scalar_code(const Scalar& a) {
  assert(a.e >= -kMostExponent && a.e <= kMostExponent);
  return static_cast<uint64_t>(a.m) | (static_cast<uint64_t>(a.e) & ((uint64_t{1} << kExponentBits) - 1)) << kMantissaBits;
}

Scalar scalar_of_code(uint64_t code) {
  const auto e = static_cast<int64_t>(code >> kMantissaBits);
  return {static_cast<int64_t>(code & ((uint64_t{1} << kMantissaBits) - 1)), e > kMostExponent ? e - 2 * (kMostExponent + 1) : e};
}

ScalarNode scalar(Dag& dag, NodeId n, NodeId e) {
  uint32_t w = width_of(dag, n);
  if (w < kMantissaBits) {
    n = unsigned_as(dag, n, kMantissaBits);
    w = kMantissaBits;
  }
  const NodeId none = is_zero(dag, n), zero = number(dag, kExponentBits, 0);
  const Normalised top = normalise(dag, n);
  // The leading one stands at bit w - 1 - count: the mantissa is worth 2^(w - 16 - count).
  const NodeId exponent = exponent_difference(dag, exponent_plus(dag, e, w - kMantissaBits), unsigned_as(dag, top.count, kExponentBits));
  return {add_slice(dag, top.word, w - kMantissaBits, kMantissaBits), select(dag, none, zero, exponent)};
}

ScalarNode multiply(Dag& dag, const ScalarNode& a, const ScalarNode& b) {
  const NodeId p = add_slice(dag, product_unsigned(dag, unsigned_as(dag, a.m, kMantissaBits + 1), b.m), 0, 2 * kMantissaBits);
  const NodeId carry = bit_of(dag, p, 31), none = is_zero(dag, p), e = exponent_sum(dag, a.e, b.e);
  const NodeId m = select(dag, carry, add_slice(dag, p, 16, 16), add_slice(dag, p, 15, 16));
  return {m, select(dag, none, number(dag, kExponentBits, 0), select(dag, carry, exponent_plus(dag, e, 16), exponent_plus(dag, e, 15)))};
}

ScalarNode divide(Dag& dag, const ScalarNode& a, const ScalarNode& b) {
  const NodeId one = number(dag, kMantissaBits, 1), by = select(dag, is_zero(dag, b.m), one, b.m);
  const NodeId over = add_node(dag, Op::kConcat, 2 * kMantissaBits, {a.m, number(dag, kMantissaBits, 0)});
  return scalar(dag, quotient(dag, over, by), exponent_plus(dag, exponent_difference(dag, a.e, b.e), -kScalarBits));
}

ScalarNode square_root(Dag& dag, const ScalarNode& a) {
  // The mantissa times 2^16, or 2^17 where the exponent is odd.
  const NodeId odd = bit_of(dag, a.e, 0);
  const NodeId even_word = add_node(dag, Op::kConcat, 34, {number(dag, 2, 0), a.m, number(dag, 16, 0)});
  const NodeId odd_word = add_node(dag, Op::kConcat, 34, {number(dag, 1, 0), a.m, number(dag, 17, 0)});
  const NodeId root = integer_root(dag, select(dag, odd, odd_word, even_word));
  const NodeId k = add_node(dag, Op::kConcat, kExponentBits, {number(dag, kExponentBits - 1, 8), odd});  // 16 + the odd bit
  const NodeId twice = exponent_difference(dag, a.e, k);
  return scalar(dag, root, signed_as(dag, add_slice(dag, twice, 1, kExponentBits - 1), kExponentBits));
}

ScalarNode shifted(Dag& dag, const ScalarNode& a, NodeId n) {
  return {a.m, exponent_sum(dag, a.e, n)};
}

NodeId whole(Dag& dag, const ScalarNode& a) {
  constexpr uint32_t kBits = 47, kMost = 46;
  const NodeId down = shift_down_unsigned(dag, a.m, negative(dag, a.e));
  // 2^46 or more: the exponent is 46, or the shifted word has a bit there or above.
  const NodeId large = add_node(dag, Op::kNot, 1, {add_node(dag, Op::kLess, 1, {a.e, number(dag, kExponentBits, kMost)})});
  const NodeId up = shift_up(dag, a.m, add_slice(dag, a.e, 0, 6), kMantissaBits + kMost);
  const NodeId above = add_node(dag, Op::kNot, 1, {is_zero(dag, add_slice(dag, up, kMost, kMantissaBits))});
  const NodeId most = number(dag, kBits, int64_t{1} << kMost), none = is_zero(dag, a.m);
  const NodeId cut = select(dag, add_node(dag, Op::kOr, 1, {large, above}), most, add_slice(dag, up, 0, kBits));
  const NodeId positive = select(dag, none, number(dag, kBits, 0), cut);
  return select(dag, sign_of(dag, a.e), unsigned_as(dag, down, kBits), positive);
}

NodeId scaled(Dag& dag, NodeId v, const ScalarNode& a, uint32_t width) {
  const NodeId p = product_unsigned(dag, v, a.m);
  const NodeId down = signed_as(dag, rounded_shift(dag, p, negative(dag, a.e)), width);
  const NodeId up = shift_up(dag, signed_as(dag, p, width), add_slice(dag, a.e, 0, 6), width);
  return select(dag, sign_of(dag, a.e), down, up);
}

}  // namespace bitgrid::scales
