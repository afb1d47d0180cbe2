#include "lowering/scales/words.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "ir/index.h"

namespace bitgrid::scales {
namespace {

NodeId concat(Dag& dag, const std::vector<NodeId>& most_significant_first) {
  uint32_t width = 0;
  for (const NodeId n : most_significant_first) width += width_of(dag, n);
  return add_node(dag, Op::kConcat, width, most_significant_first);
}

NodeId add(Dag& dag, NodeId a, NodeId b, uint32_t width) {
  return add_node(dag, Op::kAdd, width, {a, b});
}

NodeId less(Dag& dag, NodeId a, NodeId b) {
  return add_node(dag, Op::kLess, 1, {a, b});
}

/// The word and the same with all its bits `by` places lower, `fill` on top, where `condition` is 1.
NodeId maybe_down(Dag& dag, NodeId a, NodeId condition, uint32_t by, NodeId fill) {
  const uint32_t w = width_of(dag, a);
  const NodeId down = by >= w ? spread(dag, fill, w) : concat(dag, {spread(dag, fill, by), add_slice(dag, a, by, w - by)});
  return select(dag, condition, down, a);
}

NodeId down_with(Dag& dag, NodeId a, NodeId amount, NodeId fill) {
  const uint32_t w = width_of(dag, a);
  for (uint32_t j = 0; j < width_of(dag, amount); ++j)
    a = maybe_down(dag, a, bit_of(dag, amount, j), j < 31 && (uint32_t{1} << j) < w ? uint32_t{1} << j : w, fill);
  return a;
}

/// Sum over the bits of b of a times the bit, from the lowest on; the highest is subtracted if `negative_top`.
NodeId product(Dag& dag, NodeId a, NodeId b, bool negative_top) {
  const uint32_t wa = width_of(dag, a), wb = width_of(dag, b);
  const NodeId wide = signed_as(dag, a, wa + 1), none = number(dag, wa + 1, 0);
  NodeId high = number(dag, wa, 0);
  std::vector<NodeId> bits;  // most significant first
  for (uint32_t i = 0; i < wb; ++i) {
    const NodeId term = select(dag, bit_of(dag, b, i), wide, none);
    const Op op = negative_top && i + 1 == wb ? Op::kSubtract : Op::kAdd;
    const NodeId sum = add_node(dag, op, wa + 1, {signed_as(dag, high, wa + 1), term});
    bits.insert(bits.begin(), bit_of(dag, sum, 0));
    high = add_slice(dag, sum, 1, wa);
  }
  bits.insert(bits.begin(), high);
  return concat(dag, bits);
}

template <typename Combine>
NodeId tree(std::vector<NodeId> words, Combine combine) {
  assert(!words.empty());
  while (words.size() > 1) {
    std::vector<NodeId> next;
    for (size_t i = 0; i + 1 < words.size(); i += 2) next.push_back(combine(words[i], words[i + 1]));
    if (words.size() % 2 == 1) next.push_back(words.back());
    words = std::move(next);
  }
  return words[0];
}

}  // namespace

uint32_t width_of(const Dag& dag, NodeId a) {
  return dag.node(a).width;
}

uint32_t bits_for(uint64_t most) {
  return std::max(1u, id_of(std::bit_width(most)));
}

NodeId number(Dag& dag, uint32_t width, int64_t value) {
  BitVector bits(width);
  for (uint32_t b = 0; b < width; ++b) bits.set(b, (value >> std::min(b, 63u) & 1) != 0);
  return add_constant(dag, bits);
}

NodeId bit_of(Dag& dag, NodeId a, uint32_t bit) {
  return add_slice(dag, a, bit, 1);
}

NodeId sign_of(Dag& dag, NodeId a) {
  return bit_of(dag, a, width_of(dag, a) - 1);
}

NodeId spread(Dag& dag, NodeId bit, uint32_t width) {
  if (width == 1) return bit;
  return concat(dag, std::vector<NodeId>(width, bit));
}

NodeId unsigned_as(Dag& dag, NodeId a, uint32_t width) {
  const uint32_t w = width_of(dag, a);
  if (w == width) return a;
  return w > width ? add_slice(dag, a, 0, width) : concat(dag, {number(dag, width - w, 0), a});
}

NodeId signed_as(Dag& dag, NodeId a, uint32_t width) {
  const uint32_t w = width_of(dag, a);
  if (w >= width) return unsigned_as(dag, a, width);
  return concat(dag, {spread(dag, sign_of(dag, a), width - w), a});
}

NodeId select(Dag& dag, NodeId condition, NodeId if_one, NodeId if_zero) {
  const uint32_t w = std::max(width_of(dag, if_one), width_of(dag, if_zero));
  return add_node(dag, Op::kSelect, w, {condition, if_one, if_zero});
}

NodeId is_zero(Dag& dag, NodeId a) {
  return less(dag, a, number(dag, width_of(dag, a), 1));
}

NodeId negative(Dag& dag, NodeId a) {
  const uint32_t w = width_of(dag, a);
  return add_node(dag, Op::kSubtract, w, {number(dag, w, 0), a});
}

NodeId signed_sum(Dag& dag, NodeId a, NodeId b) {
  const uint32_t w = std::max(width_of(dag, a), width_of(dag, b)) + 1;
  return add(dag, signed_as(dag, a, w), signed_as(dag, b, w), w);
}

NodeId signed_difference(Dag& dag, NodeId a, NodeId b) {
  const uint32_t w = std::max(width_of(dag, a), width_of(dag, b)) + 1;
  return add_node(dag, Op::kSubtract, w, {signed_as(dag, a, w), signed_as(dag, b, w)});
}

NodeId unsigned_total(Dag& dag, std::vector<NodeId> words) {
  return tree(std::move(words), [&](NodeId a, NodeId b) { return add(dag, a, b, std::max(width_of(dag, a), width_of(dag, b)) + 1); });
}

NodeId product_unsigned(Dag& dag, NodeId a, NodeId b) {
  return product(dag, a, b, false);
}

NodeId product_signed(Dag& dag, NodeId a, NodeId b) {
  return product(dag, a, b, true);
}

NodeId shift_down(Dag& dag, NodeId a, NodeId amount) {
  return down_with(dag, a, amount, sign_of(dag, a));
}

NodeId rounded_shift(Dag& dag, NodeId a, NodeId amount) {
  const uint32_t w = width_of(dag, a);
  // floor(2 a / 2^amount), plus 1, halved.
  const NodeId twice = concat(dag, {a, number(dag, 1, 0)}), down = signed_as(dag, shift_down(dag, twice, amount), w + 2);
  return add_slice(dag, add(dag, down, number(dag, w + 2, 1), w + 2), 1, w + 1);
}

Normalised normalise(Dag& dag, NodeId a) {
  const uint32_t w = width_of(dag, a);
  if (w == 1) return {a, number(dag, 1, 0)};
  const uint32_t steps = bits_for(w - 1);
  std::vector<NodeId> count;  // most significant first
  for (uint32_t j = steps; j-- > 0;) {
    const uint32_t by = uint32_t{1} << j;
    if (by >= w) {
      count.push_back(number(dag, 1, 0));
      continue;
    }
    const NodeId empty = is_zero(dag, add_slice(dag, a, w - by, by));
    a = select(dag, empty, concat(dag, {add_slice(dag, a, 0, w - by), number(dag, by, 0)}), a);
    count.push_back(empty);
  }
  return {a, concat(dag, count)};
}

NodeId bit_length(Dag& dag, NodeId a) {
  const uint32_t w = width_of(dag, a), bits = bits_for(w);
  const Normalised n = normalise(dag, a);
  const NodeId length = add_node(dag, Op::kSubtract, bits, {number(dag, bits, w), n.count});
  return select(dag, is_zero(dag, a), number(dag, bits, 0), length);
}

}  // namespace bitgrid::scales
