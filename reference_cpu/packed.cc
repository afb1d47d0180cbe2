#include "reference_cpu/packed.h"

#include <algorithm>
#include <bit>

#include "reference_cpu/bit_counts.h"

namespace bitgrid::cpu {

namespace {

int64_t count_and(const uint64_t* a, const uint64_t* b, size_t words) {
  return bit_counts().of_and(a, b, words);
}

/// D(U) = sum_p c_p * popcount(U & A_p).
int64_t weighted_count(const uint64_t* mask, const PackedVector& x) {
  int64_t sum = 0;
  for (size_t p = 0; p < x.coefficient.size(); ++p) sum += x.coefficient[p] * count_and(mask, x.planes.row(p), x.planes.words);
  return sum;
}

int64_t row_sum(const PackedMatrix& w, size_t row, const PackedVector& x) {
  switch (w.values) {
    case WeightValues::kBinary:
      return 2 * weighted_count(w.a.row(row), x) - x.sum;
    case WeightValues::kTernary:
      return weighted_count(w.a.row(row), x) - weighted_count(w.b.row(row), x);
    case WeightValues::kInt2:
      return weighted_count(w.a.row(row), x) + 2 * weighted_count(w.b.row(row), x) - x.sum;
  }
  return 0;
}

/// Ternary and int2 with signs as numbers: x = 2 * bit - 1, so one plane of coefficient 2 gives every sum over a mask but for the mask's
/// own size.
int64_t row_sum_of_signs(const PackedMatrix& w, size_t row, const PackedVector& x) {
  const auto masked = [&](const BitPlane& mask) {
    const int64_t ones = count_and(mask.row(row), mask.row(row), mask.words);
    return 2 * count_and(mask.row(row), x.planes.row(0), mask.words) - ones;
  };
  switch (w.values) {
    case WeightValues::kBinary:
      break;
    case WeightValues::kTernary:
      return masked(w.a) - masked(w.b);
    case WeightValues::kInt2:
      return masked(w.a) + 2 * masked(w.b) - x.sum;
  }
  return 0;
}

}  // namespace

PackedMatrix pack(const Matrix& weights) {
  PackedMatrix m;
  m.values = weights.values;
  m.outputs = static_cast<size_t>(weights.outputs);
  m.inputs = static_cast<size_t>(weights.inputs);
  m.a = BitPlane(m.outputs, m.inputs);
  m.b = BitPlane(m.outputs, m.inputs);
  for (size_t i = 0; i < m.outputs; ++i) {
    for (size_t j = 0; j < m.inputs; ++j) {
      const int w = weights.at(static_cast<int>(i), static_cast<int>(j));
      if (weights.values == WeightValues::kInt2) {
        if ((w + 1) & 1) m.a.set(i, j);
        if ((w + 1) & 2) m.b.set(i, j);
      } else {
        if (w == 1) m.a.set(i, j);
        if (w == -1 && weights.values == WeightValues::kTernary) m.b.set(i, j);
      }
    }
  }
  return m;
}

PackedVector pack(const std::vector<int64_t>& x) {
  PackedVector v;
  v.size = x.size();
  v.is_signs = !x.empty() && std::all_of(x.begin(), x.end(), [](int64_t e) { return e == 1 || e == -1; });
  uint64_t magnitude = 0;
  bool negative = false;
  for (const int64_t e : x) {
    v.sum += e;
    negative = negative || e < 0;
    magnitude |= static_cast<uint64_t>(e < 0 ? ~e : e);
  }
  const size_t bits = v.is_signs ? 1 : static_cast<size_t>(std::bit_width(magnitude)) + (negative ? 1 : 0);
  v.planes = BitPlane(bits, x.size());
  for (size_t p = 0; p < bits; ++p) {
    const int64_t c = int64_t{1} << p;
    v.coefficient.push_back(negative && p + 1 == bits ? -c : c);
    for (size_t j = 0; j < x.size(); ++j) {
      if (v.is_signs ? x[j] > 0 : (static_cast<uint64_t>(x[j]) >> p) & 1u) v.planes.set(p, j);
    }
  }
  return v;
}

void linear_rows(const PackedMatrix& weights, const PackedVector& x, size_t begin, size_t end, int64_t* u) {
  if (begin == end) return;
  if (x.is_signs && weights.values == WeightValues::kBinary) {
    bit_counts().of_xor(weights.a.row(begin), end - begin, x.planes.row(0), x.planes.words, u);
    for (size_t i = begin; i < end; ++i, ++u) *u = static_cast<int64_t>(x.size) - 2 * *u;
    return;
  }
  for (size_t i = begin; i < end; ++i) *u++ = x.is_signs ? row_sum_of_signs(weights, i, x) : row_sum(weights, i, x);
}

std::vector<int64_t> linear(const PackedMatrix& weights, const PackedVector& x) {
  std::vector<int64_t> u(weights.outputs);
  linear_rows(weights, x, 0, u.size(), u.data());
  return u;
}

}  // namespace bitgrid::cpu
