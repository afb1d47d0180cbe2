// Building blocks of kernel Dags: numbers as bit planes, weights as masks, sums as popcounts.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/dag.h"

namespace bitgrid::numerics {

/// Returns digits in -1 .. 1 with sum of 2^p * digits[p][c] = weights[c]. digits[0] is least significant, and there is at least one plane.
std::vector<std::vector<int8_t>> digit_planes(const std::vector<int64_t>& weights);

/// Returns bit `bit` of each of `words` numbers of `bits` bits, starting with number `first`, as one `words`-bit vector.
NodeId bit_plane(Dag& dag, NodeId port, int first, int words, uint32_t bits, uint32_t bit);

/// Returns a << by, with width + by bits.
NodeId shift_left(Dag& dag, NodeId a, uint32_t by);

/// A sum in progress, modulo 2^width. Constants are collected and added once.
class Sum {
 public:
  Sum(Dag& dag, uint32_t width) : dag_(dag), width_(width) {}
  void add(NodeId a, uint32_t shift = 0);
  void subtract(NodeId a, uint32_t shift = 0);
  void add_constant(int64_t value) { constant_ += value; }
  /// Adds sum over c of weights[c] * number[c] * 2^shift; planes[b] holds bit b of each number.
  void add_products(const std::vector<NodeId>& planes, const std::vector<int64_t>& weights, uint32_t shift);
  NodeId finish();

 private:
  Dag& dag_;
  uint32_t width_;
  std::vector<NodeId> plus_, minus_;
  int64_t constant_ = 0;
};

/// Returns a * factor modulo 2^width, by shifts and adds; factor >= 1.
NodeId multiply(Dag& dag, NodeId a, int64_t factor, uint32_t width);

/// Returns clamp((t >> shift) - offset, lo, hi) + centre as `bits` bits. offset is a power of two >= 2^bits that keeps t >= 0.
NodeId clamp_code(Dag& dag, NodeId t, uint32_t shift, int64_t offset, int64_t lo, int64_t hi, int64_t centre, uint32_t bits);

/// Concatenates nodes of equal width, the first in the lowest bits.
NodeId pack(Dag& dag, const std::vector<NodeId>& words);

}  // namespace bitgrid::numerics
