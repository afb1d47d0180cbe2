#include "lowering/numerics/kernel_dag.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>

#include "ir/index.h"

namespace bitgrid::numerics {

std::vector<std::vector<int8_t>> digit_planes(const std::vector<int64_t>& weights) {
  int64_t largest = 1;
  for (const int64_t w : weights) largest = std::max(largest, std::abs(w));
  std::vector<std::vector<int8_t>> planes(index_of(std::bit_width(static_cast<uint64_t>(largest))), std::vector<int8_t>(weights.size()));
  for (size_t p = 0; p < planes.size(); ++p) {
    for (size_t c = 0; c < weights.size(); ++c) {
      if ((std::abs(weights[c]) >> p) & 1) planes[p][c] = weights[c] < 0 ? int8_t{-1} : int8_t{1};
    }
  }
  return planes;
}

NodeId pack(Dag& dag, const std::vector<NodeId>& words) {
  if (words.size() == 1) return words[0];
  const std::vector<NodeId> high_first(words.rbegin(), words.rend());
  uint32_t width = 0;
  for (const NodeId w : words) width += dag.node(w).width;
  return add_node(dag, Op::kConcat, width, high_first);
}

NodeId bit_plane(Dag& dag, NodeId port, int first, int words, uint32_t bits, uint32_t bit) {
  if (bits == 1) return add_slice(dag, port, id_of(first), id_of(words));
  std::vector<NodeId> slices;
  for (int c = first; c < first + words; ++c) slices.push_back(add_slice(dag, port, id_of(c) * bits + bit, 1));
  return pack(dag, slices);
}

NodeId shift_left(Dag& dag, NodeId a, uint32_t by) {
  if (by == 0) return a;
  return add_node(dag, Op::kConcat, dag.node(a).width + by, {a, add_constant(dag, by, 0)});
}

void Sum::add(NodeId a, uint32_t shift) {
  plus_.push_back(shift_left(dag_, a, shift));
}
void Sum::subtract(NodeId a, uint32_t shift) {
  minus_.push_back(shift_left(dag_, a, shift));
}

void Sum::add_products(const std::vector<NodeId>& planes, const std::vector<int64_t>& weights, uint32_t shift) {
  const auto digits = digit_planes(weights);
  const auto count = id_of(weights.size());
  for (uint32_t p = 0; p < digits.size(); ++p) {
    BitVector used(count), negative(count);
    int64_t negatives = 0;
    for (uint32_t c = 0; c < count; ++c) {
      used.set(c, digits[p][c] != 0);
      negative.set(c, digits[p][c] < 0);
      negatives += digits[p][c] < 0;
    }
    const auto is_zero = [](const BitVector& v) { return std::all_of(v.words.begin(), v.words.end(), [](uint64_t w) { return w == 0; }); };
    if (is_zero(used)) continue;
    BitVector all(count);
    for (uint32_t c = 0; c < count; ++c) all.set(c, true);
    const NodeId flip = is_zero(negative) ? 0 : bitgrid::add_constant(dag_, negative);
    const NodeId mask = used == all ? 0 : bitgrid::add_constant(dag_, used);
    for (uint32_t b = 0; b < planes.size(); ++b) {
      // Ones of (x xor negative) and used = sum of digit * x, plus the number of negative digits.
      NodeId bits = planes[b];
      if (!is_zero(negative)) bits = add_node(dag_, Op::kXor, count, {bits, flip});
      if (!(used == all)) bits = add_node(dag_, Op::kAnd, count, {bits, mask});
      add(add_node(dag_, Op::kPopcount, id_of(std::bit_width(count)), {bits}), p + b + shift);
      add_constant(-(negatives << (p + b + shift)));
    }
  }
}

NodeId Sum::finish() {
  std::vector<NodeId> terms = plus_;
  const uint64_t mask = width_ >= 64 ? ~uint64_t{0} : (uint64_t{1} << width_) - 1;
  const uint64_t constant = static_cast<uint64_t>(constant_) & mask;
  if (constant != 0 || terms.empty()) terms.push_back(bitgrid::add_constant(dag_, width_, constant));
  while (terms.size() > 1) {  // a balanced tree
    std::vector<NodeId> next;
    for (size_t i = 0; i + 1 < terms.size(); i += 2) next.push_back(add_node(dag_, Op::kAdd, width_, {terms[i], terms[i + 1]}));
    if (terms.size() % 2) next.push_back(terms.back());
    terms = std::move(next);
  }
  NodeId sum = terms[0];
  for (const NodeId m : minus_) sum = add_node(dag_, Op::kSubtract, width_, {sum, m});
  if (dag_.node(sum).width != width_) sum = add_node(dag_, Op::kAdd, width_, {sum, bitgrid::add_constant(dag_, width_, 0)});
  return sum;
}

NodeId multiply(Dag& dag, NodeId a, int64_t factor, uint32_t width) {
  assert(factor >= 1);
  if (factor == 1) return a;
  Sum product(dag, width);
  for (uint32_t i = 0; factor >> i; ++i) {
    if ((factor >> i) & 1) product.add(a, i);
  }
  return product.finish();
}

NodeId clamp_code(Dag& dag, NodeId t, uint32_t shift, int64_t offset, int64_t lo, int64_t hi, int64_t centre, uint32_t bits) {
  const uint32_t width = dag.node(t).width - shift;
  const auto constant = [&](uint32_t w, int64_t value) { return add_constant(dag, w, static_cast<uint64_t>(value)); };
  const NodeId v = add_slice(dag, t, shift, width);
  NodeId code = add_slice(dag, v, 0, bits);
  if (centre != 0) code = add_node(dag, Op::kAdd, bits, {code, constant(bits, centre)});
  const NodeId above = add_node(dag, Op::kLess, 1, {constant(width, offset + hi), v});
  const NodeId below = add_node(dag, Op::kLess, 1, {v, constant(width, offset + lo)});
  code = add_node(dag, Op::kSelect, bits, {above, constant(bits, hi + centre), code});
  return add_node(dag, Op::kSelect, bits, {below, constant(bits, lo + centre), code});
}

}  // namespace bitgrid::numerics
