#include "reference_cpu/packed.h"

#include <gtest/gtest.h>

#include <random>

#include "reference_cpu/golden.h"

namespace bitgrid::cpu {
namespace {

int pick(std::mt19937& random, int lo, int hi) {
  return lo + static_cast<int>(random() % static_cast<unsigned>(hi - lo + 1));
}

Matrix random_matrix(std::mt19937& random, WeightValues values, int outputs, int inputs) {
  Matrix m{"w", values, outputs, inputs, {}};
  for (int i = 0; i < outputs * inputs; ++i) {
    const int w = values == WeightValues::kBinary ? 2 * pick(random, 0, 1) - 1 : pick(random, -1, values == WeightValues::kInt2 ? 2 : 1);
    m.data.push_back(static_cast<int8_t>(w));
  }
  return m;
}

struct Weights {
  WeightValues values;
  friend void PrintTo(const Weights& w, std::ostream* out) { *out << name_of(w.values); }
};

class PackedLinear : public ::testing::TestWithParam<Weights> {};

TEST_P(PackedLinear, EqualsGoldenOnRandomShapes) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const Matrix w = random_matrix(random, GetParam().values, pick(random, 1, 20), pick(random, 1, 150));
    const int kind = round % 4, hi = 1 << pick(random, 0, 12);
    std::vector<int64_t> x(static_cast<size_t>(w.inputs));
    for (int64_t& v : x) v = kind == 0 ? 2 * pick(random, 0, 1) - 1 : kind == 1 ? pick(random, 0, hi) : pick(random, -hi, hi);
    EXPECT_EQ(linear(pack(w), pack(x)), golden::linear(w, x)) << w.outputs << " x " << w.inputs << " kind " << kind;
  }
}

TEST_P(PackedLinear, EdgesOfWords) {
  std::mt19937 random(12);
  for (const int inputs : {1, 63, 64, 65, 127, 128, 129}) {
    const Matrix w = random_matrix(random, GetParam().values, 3, inputs);
    for (const int64_t value : {0, 1, -1, 7, -8, 127, -128}) {
      const std::vector<int64_t> x(static_cast<size_t>(inputs), value);
      EXPECT_EQ(linear(pack(w), pack(x)), golden::linear(w, x)) << inputs << " x " << value;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Values, PackedLinear,
                         ::testing::Values(Weights{WeightValues::kBinary}, Weights{WeightValues::kTernary}, Weights{WeightValues::kInt2}),
                         ::testing::PrintToStringParamName());

TEST(PackedVector, UsesAsFewPlanesAsItCan) {
  EXPECT_EQ(pack(std::vector<int64_t>{0, 15, 3}).coefficient.size(), 4u);
  EXPECT_EQ(pack(std::vector<int64_t>{-7, 7}).coefficient, (std::vector<int64_t>{1, 2, 4, -8}));
  EXPECT_TRUE(pack(std::vector<int64_t>{-1, 1}).is_signs);
  EXPECT_FALSE(pack(std::vector<int64_t>{-1, 0}).is_signs);
}

}  // namespace
}  // namespace bitgrid::cpu
