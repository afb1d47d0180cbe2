// The meaning of each operation on bit-sliced values.
#include <algorithm>
#include <array>

#include "ir/dag_eval.h"

namespace bitgrid {
namespace {

uint64_t bit_or_zero(Slices a, size_t i) {
  return i < a.size() ? a[i] : 0;
}

template <typename Function>
void bitwise(const Evaluation& e, Function f) {
  const Slices a = e.operands[0];
  const Slices b = e.operands[1];
  const size_t common = std::min({a.size(), b.size(), e.result.size()});
  for (size_t i = 0; i < common; ++i) e.result[i] = f(a[i], b[i]);
  for (size_t i = common; i < e.result.size(); ++i) e.result[i] = f(bit_or_zero(a, i), bit_or_zero(b, i));
}

uint64_t majority(uint64_t a, uint64_t b, uint64_t c) {
  return (a & b) | (c & (a ^ b));
}

/// One weight of a popcount: adds `count` words carry-save, three at a time. The sum ends in words[0]; returns the number of carries
/// written.
size_t add_column(uint64_t* words, size_t count, uint64_t* __restrict carries) {
  size_t n_carries = 0;
  while (count >= 3) {
    const size_t third = count / 3;
    for (size_t i = 0; i < third; ++i) {
      const uint64_t a = words[i];
      const uint64_t b = words[i + third];
      const uint64_t c = words[i + 2 * third];
      carries[n_carries + i] = majority(a, b, c);
      words[i] = a ^ b ^ c;
    }
    n_carries += third;
    std::copy(words + 3 * third, words + count, words + third);
    count -= 2 * third;
  }
  if (count == 2) {
    carries[n_carries++] = words[0] & words[1];
    words[0] ^= words[1];
  }
  return n_carries;
}

/// A tree of multiplexers for each bit of the result.
void lut_by_multiplexers(const Evaluation& e) {
  const Slices index = e.operands[0];
  const std::vector<BitVector>& table = e.node.table;
  e.scratch.resize(table.size());
  uint64_t* v = e.scratch.data();
  for (uint32_t bit = 0; bit < e.node.width; ++bit) {
    for (size_t i = 0; i < table.size(); ++i) v[i] = table[i].get(bit) ? ~uint64_t{0} : 0;
    size_t size = table.size();
    for (const uint64_t x : index) {
      size /= 2;
      for (size_t i = 0; i < size; ++i) v[i] = v[2 * i] ^ (x & (v[2 * i] ^ v[2 * i + 1]));
    }
    e.result[bit] = v[0];
  }
}

/// One look-up for each of the 64 invocations.
void lut_by_lookup(const Evaluation& e) {
  std::array<uint64_t, 64> index{};
  std::copy(e.operands[0].begin(), e.operands[0].end(), index.begin());
  transpose64(index.data());
  for (uint32_t first = 0; first < e.node.width; first += 64) {
    std::array<uint64_t, 64> words;
    for (size_t lane = 0; lane < 64; ++lane) words[lane] = e.node.table[index[lane]].words[first / 64];
    transpose64(words.data());
    std::copy_n(words.begin(), std::min(64u, e.node.width - first), e.result.begin() + first);
  }
}

}  // namespace

void transpose64(uint64_t* words) {
  uint64_t mask = 0x00000000FFFFFFFF;
  for (unsigned step = 32; step != 0; step /= 2, mask ^= mask << step) {
    for (unsigned i = 0; i < 64; i = ((i | step) + 1) & ~step) {
      const uint64_t t = ((words[i] >> step) ^ words[i | step]) & mask;
      words[i] ^= t << step;
      words[i | step] ^= t;
    }
  }
}

void evaluate_constant(const Evaluation& e) {
  for (uint32_t i = 0; i < e.node.width; ++i) e.result[i] = e.node.value.get(i) ? ~uint64_t{0} : 0;
}

void evaluate_xnor(const Evaluation& e) {
  bitwise(e, [](uint64_t a, uint64_t b) { return ~(a ^ b); });
}

void evaluate_xor(const Evaluation& e) {
  bitwise(e, [](uint64_t a, uint64_t b) { return a ^ b; });
}

void evaluate_and(const Evaluation& e) {
  bitwise(e, [](uint64_t a, uint64_t b) { return a & b; });
}

void evaluate_or(const Evaluation& e) {
  bitwise(e, [](uint64_t a, uint64_t b) { return a | b; });
}

void evaluate_not(const Evaluation& e) {
  for (size_t i = 0; i < e.result.size(); ++i) e.result[i] = ~bit_or_zero(e.operands[0], i);
}

void evaluate_select(const Evaluation& e) {
  const uint64_t condition = e.operands[0][0];
  for (size_t i = 0; i < e.result.size(); ++i)
    e.result[i] = (condition & bit_or_zero(e.operands[1], i)) | (~condition & bit_or_zero(e.operands[2], i));
}

void evaluate_slice(const Evaluation& e) {
  std::copy_n(e.operands[0].begin() + e.node.low, e.node.width, e.result.begin());
}

void evaluate_concat(const Evaluation& e) {
  auto to = e.result.begin();
  for (size_t i = e.operands.size(); i-- > 0;) to = std::copy(e.operands[i].begin(), e.operands[i].end(), to);
}

void evaluate_popcount(const Evaluation& e) {
  const Slices a = e.operands[0];
  e.scratch.resize(2 * a.size());
  uint64_t* words = e.scratch.data();
  uint64_t* carries = words + a.size();
  std::copy(a.begin(), a.end(), words);
  size_t count = a.size();
  for (uint64_t& bit : e.result) {
    const size_t n_carries = add_column(words, count, carries);
    bit = count == 0 ? 0 : words[0];
    std::swap(words, carries);
    count = n_carries;
  }
}

void evaluate_add(const Evaluation& e) {
  uint64_t carry = 0;
  for (size_t i = 0; i < e.result.size(); ++i) {
    const uint64_t a = bit_or_zero(e.operands[0], i);
    const uint64_t b = bit_or_zero(e.operands[1], i);
    e.result[i] = a ^ b ^ carry;
    carry = majority(a, b, carry);
  }
}

void evaluate_subtract(const Evaluation& e) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < e.result.size(); ++i) {
    const uint64_t a = bit_or_zero(e.operands[0], i);
    const uint64_t b = bit_or_zero(e.operands[1], i);
    e.result[i] = a ^ b ^ borrow;
    borrow = majority(~a, b, borrow);
  }
}

void evaluate_less(const Evaluation& e) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < std::max(e.operands[0].size(), e.operands[1].size()); ++i)
    borrow = majority(~bit_or_zero(e.operands[0], i), bit_or_zero(e.operands[1], i), borrow);
  e.result[0] = borrow;
}

void evaluate_lut(const Evaluation& e) {
  // A look-up costs two transpositions (about 400 operations each) for every 64 bits of the result, a tree two operations an entry and bit.
  const size_t tree = e.node.table.size() * e.node.width;
  const size_t lookup = size_t{500} * (1 + (e.node.width + 63) / 64);
  tree < lookup ? lut_by_multiplexers(e) : lut_by_lookup(e);
}

void evaluate_output(const Evaluation& e) {
  std::copy(e.operands[0].begin(), e.operands[0].end(), e.result.begin());
}

}  // namespace bitgrid
