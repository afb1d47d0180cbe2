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

Kernel total_kernel(int words, uint32_t bits) {
  Maker k(fmt::format("total.{}x{}", words, bits));
  const Nodes x = k.words("x", words, bits, false);
  k.out("y", unsigned_total(k.dag(), x), bits + bits_of_count(words));
  return k.take();
}

Kernel bit_length_kernel(uint32_t bits) {
  Maker k(fmt::format("bit_length.{}", bits));
  const NodeId x = k.word("x", bits), length = bit_length(k.dag(), x);
  k.out("length", length, width_of(k.dag(), length));
  return k.take();
}

Kernel shift_kernel(uint32_t bits, uint32_t keep) {
  Maker k(fmt::format("shift.{}to{}", bits, keep));
  const NodeId any = k.word("or", bits);
  k.out("shift", excess(k.dag(), bit_length(k.dag(), any), keep, kShiftBits), kShiftBits);
  return k.take();
}

Kernel softmax_weight_kernel(const ScaledTables& tables) {
  Maker k("softmax_weight");
  Dag& d = k.dag();
  const NodeId score = k.word("score", kScoreBits), top = k.word("top", kScoreBits);
  std::vector<BitVector> table;
  for (const int32_t v : tables.exponential) {
    BitVector word(kWeightBits);
    for (uint32_t b = 0; b < kWeightBits; ++b) word.set(b, (v >> b & 1) != 0);
    table.push_back(word);
  }
  const auto index_bits = id_of(std::bit_width(tables.exponential.size()) - 1);
  const NodeId below = add_node(d, Op::kSubtract, kScoreBits, {top, score});
  const NodeId power = add_lut(d, add_slice(d, below, 0, index_bits), table);
  const NodeId weight = rounded_shift(d, unsigned_as(d, power, kWeightBits + 1), add_slice(d, below, 4, kScoreBits - 4));
  k.out("weight", select(d, is_zero(d, score), number(d, kWeightBits, 0), unsigned_as(d, weight, kWeightBits)), kWeightBits);
  return k.take();
}

}  // namespace bitgrid::scales
