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
