// Linear maps of every kind of scales: against their formula, and against the real numbers that they stand for.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "frontend/checkpoint/fixed.h"
#include "reference_cpu/scaled/linear.h"

namespace bitgrid::cpu {
namespace {

constexpr size_t kRows = 12, kFormInputs = 96, kGroup = 32, kRank = 16;

double real(Scalar s) {
  return std::ldexp(static_cast<double>(s.m), static_cast<int>(s.e));
}

struct IntMatrix {
  size_t rows, columns;
  std::vector<int8_t> values;
  std::shared_ptr<const PackedWeights> packed(WeightStorage storage) const {
    auto p = std::make_shared<PackedWeights>(rows, columns, storage);
    for (size_t r = 0; r < rows; ++r) p->pack(r, std::span(values).subspan(r * columns, columns));
    return p;
  }
  double at(size_t r, size_t c) const { return values[r * columns + c]; }
};

class LinearForms : public ::testing::Test {
 protected:
  IntMatrix matrix(size_t rows, size_t columns, int lo, int hi) {
    IntMatrix m = {rows, columns, {}};
    for (size_t i = 0; i < rows * columns; ++i)
      m.values.push_back(static_cast<int8_t>(lo + static_cast<int>(random_() % static_cast<unsigned>(hi - lo + 1))));
    return m;
  }
  std::vector<double> reals(size_t n, double lo, double hi) {
    std::vector<double> v(n);
    for (double& x : v) x = std::uniform_real_distribution<double>(lo, hi)(random_);
    return v;
  }
  /// Codes of one scale, 0.01, or of groups with powers of two.
  Codes codes(bool grouped) {
    std::vector<int64_t> v(kFormInputs);
    for (int64_t& x : v) x = static_cast<int64_t>(random_() % 255) - 127;
    Codes c = make_codes(v, constant(0.01));
    if (grouped) c.group = kGroup, c.shifts = {0, 3, 1};
    return c;
  }
  /// y of the real weights `w(r, c)`.
  template <typename Weight>
  void expect_near(const Sums& y, const Codes& a, double tolerance, Weight w) {
    const std::vector<int64_t> x = a.expanded();
    for (size_t r = 0; r < y.values.size(); ++r) {
      double want = 0.0, size = 0.0;
      for (size_t c = 0; c < x.size(); ++c) {
        const double term = w(r, c) * static_cast<double>(x[c]) * real(a.unit);
        want += term;
        size += term * term;
      }
      EXPECT_NEAR(static_cast<double>(y.values[r]) * real(y.unit), want, tolerance * std::sqrt(size)) << "row " << r;
    }
  }
  static void set_scales(LinearMap& map, const std::vector<double>& scales) {
    const frontend::Fixed f = frontend::fixed(scales, 11);
    map.scales.assign(f.values.begin(), f.values.end());
    map.scale = constant(std::ldexp(1.0, -f.fraction));
  }
  std::mt19937 random_{7};
};

TEST_F(LinearForms, AScaleARow) {
  const IntMatrix w = matrix(kRows, kFormInputs, -1, 1);
  const std::vector<double> scales = reals(kRows, 0.5, 1.0);
  LinearMap map = {"m", w.packed(WeightStorage::kTwoBits), nullptr, {}, 0, {}, {}, {}};
  set_scales(map, scales);
  const Codes a = codes(false);
  expect_near(apply(map, a, {}), a, 2e-3, [&](size_t r, size_t c) { return w.at(r, c) * scales[r]; });
}

TEST_F(LinearForms, GroupsWithShiftedCodes) {
  const IntMatrix w = matrix(kRows, kFormInputs, -1, 2);
  const std::vector<double> scales = reals(kRows * 3, 0.5, 1.0);
  LinearMap map = {"m", w.packed(WeightStorage::kTwoBits), nullptr, {}, kGroup, {}, {}, {}};
  set_scales(map, scales);
  const Codes a = codes(true);
  expect_near(apply(map, a, {}), a, 2e-3, [&](size_t r, size_t c) { return w.at(r, c) * scales[r * 3 + c / kGroup]; });
}

/// HQQ: w = (u - z) s.
TEST_F(LinearForms, GroupsWithZeros) {
  const IntMatrix u = matrix(kRows, kFormInputs, 0, 15);
  const std::vector<double> scales = reals(kRows * 3, 0.5, 1.0), zeros = reals(kRows * 3, 4.0, 12.0);
  LinearMap map = {"m", u.packed(WeightStorage::kByte), nullptr, {}, kGroup, {}, {}, {}};
  set_scales(map, scales);
  const int fraction = frontend::fixed(scales, 11).fraction;
  for (size_t i = 0; i < zeros.size(); ++i)
    map.zeros.push_back(static_cast<int32_t>(std::floor(std::ldexp(-zeros[i] * scales[i], fraction) + 0.5)));
  for (const bool grouped : {false, true}) {
    const Codes a = codes(grouped);
    expect_near(apply(map, a, {}), a, 4e-3,
                [&](size_t r, size_t c) { return (u.at(r, c) - zeros[r * 3 + c / kGroup]) * scales[r * 3 + c / kGroup]; });
  }
}

/// NanoQuant: U (V x) with a scale a row of U.
TEST_F(LinearForms, LowRankBinaryFactors) {
  const auto binary = [&](size_t rows, size_t columns) {
    IntMatrix m = matrix(rows, columns, 0, 1);
    for (int8_t& v : m.values) v = static_cast<int8_t>(2 * v - 1);
    return m;
  };
  const IntMatrix u = binary(kRows, kRank), v = binary(kRank, kFormInputs);
  const std::vector<double> scales = reals(kRows, 0.5, 1.0);
  LinearMap map = {"m", u.packed(WeightStorage::kOneBit), v.packed(WeightStorage::kOneBit), {}, 0, {}, {}, {}};
  set_scales(map, scales);
  const Codes a = codes(false);
  expect_near(apply(map, a, {}), a, 1e-2, [&](size_t r, size_t c) {
    double sum = 0.0;
    for (size_t k = 0; k < kRank; ++k) sum += u.at(r, k) * v.at(k, c);
    return sum * scales[r];
  });
}

/// LoRA on frozen weights.
TEST_F(LinearForms, AdapterOnTernaryWeights) {
  const IntMatrix w = matrix(kRows, kFormInputs, -1, 1), a8 = matrix(4, kFormInputs, -127, 127), b8 = matrix(kRows, 4, -127, 127);
  const std::vector<double> a_scales = reals(4, 0.001, 0.002), b_scales = reals(kRows, 0.001, 0.002);
  const auto vector_of = [](const std::vector<double>& v) {
    frontend::Fixed f = frontend::fixed(v, 12);
    return FixedVector{std::move(f.values), f.fraction};
  };
  LinearMap map = {"m", w.packed(WeightStorage::kTwoBits), nullptr, constant(0.125), 0, {}, {}, {}};
  map.adapter =
      Adapter{a8.packed(WeightStorage::kByte), b8.packed(WeightStorage::kByte), vector_of(a_scales), vector_of(b_scales), constant(2.0)};
  const Codes a = codes(false);
  expect_near(apply(map, a, {}), a, 1e-2, [&](size_t r, size_t c) {
    double sum = 0.0;
    for (size_t k = 0; k < 4; ++k) sum += b8.at(r, k) * b_scales[r] * a8.at(k, c) * a_scales[k];
    return w.at(r, c) * 0.125 + 2.0 * sum;
  });
}

TEST_F(LinearForms, ThreadsAndKernelsGiveTheSame) {
  const IntMatrix w = matrix(2100, kFormInputs, -1, 1);
  LinearMap map = {"m", w.packed(WeightStorage::kTwoBits), nullptr, constant(1.0), 0, {}, {}, {}};
  const Codes a = codes(true);
  const Sums one = apply(map, a, {SumKernel::kDefinition, 1}), two = apply(map, a, {SumKernel::kFast, 3});
  EXPECT_EQ(one.values, two.values);
  EXPECT_EQ(one.unit, two.unit);
}

}  // namespace
}  // namespace bitgrid::cpu
