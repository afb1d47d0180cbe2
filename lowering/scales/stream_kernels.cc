#include "lowering/scales/stream_kernels.h"

#include <fmt/format.h>

#include "lowering/scales/kernel_maker.h"
#include "lowering/scales/kernels.h"

namespace bitgrid::scales {

mapping::StreamedShape ternary_shape(int inputs, uint32_t bits) {
  const int64_t most = (int64_t{1} << (bits - 1)) - 1;
  return {inputs, -most, most, mapping::ternary_weights()};
}

mapping::StreamedShape one_bit_shape(int inputs, uint32_t bits) {
  return {inputs, 0, (int64_t{1} << bits) - 1, mapping::unsigned_weights(1)};
}

/// With o = 2^(bits - 1) - 1, code u of x: o - x is the complement of u, and o + x is u - 1.
Kernel ternary_table_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("ternary_table.{}x{}", words, bits));
  Nodes entries;
  for (const NodeId u : k.words("x", words, bits, false)) {
    entries.push_back(add_node(k.dag(), Op::kNot, bits, {u}));
    entries.push_back(add_node(k.dag(), Op::kSubtract, bits, {u, number(k.dag(), bits, 1)}));
  }
  k.out("table", entries, bits, false);
  return k.take();
}

Kernel pair_table_kernel(int pairs, uint32_t bits) {
  Maker k(fmt::format("pair_table.{}x{}", pairs, bits));
  const Nodes x = k.words("x", 2 * pairs, bits, false);
  Nodes entries;
  for (size_t i = 0; i < x.size(); i += 2) {
    entries.insert(entries.end(), {x[i], x[i + 1]});
    entries.push_back(add_node(k.dag(), Op::kAdd, bits + 1, {x[i], x[i + 1]}));
  }
  k.out("table", entries, bits + 1, false);
  return k.take();
}

/// Of codes a = q + 128, b = k + 128: q k = a b - 128 a - 128 b + 128^2.
Kernel score_kernel(int width, uint32_t bits, uint32_t sum_bits) {
  Maker k(fmt::format("score.{}", width));
  Dag& d = k.dag();
  const NodeId products = k.word("products", bits), queries = k.word("queries", sum_bits), keys = k.word("keys", sum_bits);
  const NodeId shift = k.word("shift", kShiftBits);
  const ScalarNode unit = k.scalar_word("unit");
  const NodeId written = k.word("written", 1);
  // Modulo 2^(bits + 1), which holds the result and its sign.
  const uint32_t w = bits + 1;
  const auto times_128 = [&](NodeId a) { return unsigned_as(d, add_node(d, Op::kConcat, sum_bits + 7, {a, number(d, 7, 0)}), w); };
  const NodeId all = add_node(d, Op::kAdd, w, {unsigned_as(d, products, w), number(d, w, int64_t{width} << 14)});
  const NodeId dot = add_node(d, Op::kSubtract, w, {add_node(d, Op::kSubtract, w, {all, times_128(queries)}), times_128(keys)});
  // The key's scalar is 128 * 2^(shift - 7), whose mantissa is 2^15: multiplying by it is a shift.
  const ScalarNode of_key = shifted(d, unit, unsigned_as(d, shift, kExponentBits));
  const uint32_t reach = 15 + bits_of_count(width);  // |q k| <= 127^2
  const NodeId score = clamp(d, scaled(d, add_slice(d, dot, 0, std::min(w, reach)), of_key, 47), kScoreBits - 1);
  k.out("score", select(d, written, score, number(d, kScoreBits, -(int64_t{1} << (kScoreBits - 1)))), kScoreBits, true);
  return k.take();
}

Kernel mix_kernel(uint32_t bits, uint32_t sum_bits, uint32_t to) {
  Maker k(fmt::format("mix.{}and{}", bits, sum_bits));
  Dag& d = k.dag();
  const NodeId products = k.word("products", bits), weights = k.word("weights", sum_bits);
  const uint32_t w = std::max(bits, sum_bits + 7) + 1;
  const NodeId shifted_weights = add_node(d, Op::kConcat, sum_bits + 7, {weights, number(d, 7, 0)});
  k.out("y", add_node(d, Op::kSubtract, w, {unsigned_as(d, products, w), unsigned_as(d, shifted_weights, w)}), to, true);
  return k.take();
}

}  // namespace bitgrid::scales
