// Linear maps on bit planes with popcount. They give the same sums as golden::linear, faster.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/model.h"

namespace bitgrid::cpu {

/// Rows of bits, `words` 64-bit words each. Bits above the row's length are 0.
struct BitPlane {
  size_t words = 0;
  std::vector<uint64_t> data;

  BitPlane() = default;
  BitPlane(size_t rows, size_t columns) : words((columns + 63) / 64), data(rows * words) {}
  const uint64_t* row(size_t r) const { return &data[r * words]; }
  void set(size_t r, size_t c) { data[r * words + c / 64] |= uint64_t{1} << (c % 64); }
};

/// Weights as two planes. Binary: `a` = weights +1. Ternary: `a` = +1, `b` = -1. Int2 (codes w + 1): `a` = low bit, `b` = high bit.
struct PackedMatrix {
  WeightValues values = WeightValues::kTernary;
  size_t outputs = 0;
  size_t inputs = 0;
  BitPlane a;
  BitPlane b;
};

/// A vector as two's complement planes, x[j] = sum_p coefficient[p] * plane[p][j], or as signs, x[j] = plane[0][j] ? 1 : -1.
struct PackedVector {
  size_t size = 0;
  bool is_signs = false;
  int64_t sum = 0;                   // of all elements
  std::vector<int64_t> coefficient;  // 1, 2, 4, ..., with the last one negative if any element is
  BitPlane planes;                   // [planes][size]
};

PackedMatrix pack(const Matrix& weights);

/// Chooses the fewest planes that hold all elements, or signs if all elements are -1 or +1.
PackedVector pack(const std::vector<int64_t>& x);

/// u[i] = sum_j weights[i][j] * x[j]. Precondition: weights.inputs == x.size.
std::vector<int64_t> linear(const PackedMatrix& weights, const PackedVector& x);
/// The same for rows begin .. end - 1: u[i - begin].
void linear_rows(const PackedMatrix& weights, const PackedVector& x, size_t begin, size_t end, int64_t* u);

}  // namespace bitgrid::cpu
