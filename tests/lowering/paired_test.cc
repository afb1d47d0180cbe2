#include "lowering/paired.h"

#include <gtest/gtest.h>

#include <random>

#include "check/verify_kernel.h"
#include "lowering/matrix.h"

namespace bitgrid {
namespace {

struct Shape {
  int rows, columns;
  uint32_t bits;
  int64_t scale;
  bool sign;
};

LoweredKernel lowered(const Shape& s, std::mt19937_64& random, bool zeros = false) {
  const Tensor x{"x", s.columns, {s.bits, s.scale, {s.scale == 2 ? -1 : -(int64_t{1} << (s.bits - 1))}}, {(uint64_t{1} << s.bits) - 1}};
  MatrixLayer layer{"layer", &x, {}, nullptr, {}, !s.sign, {}};
  Sign sign;
  for (int r = 0; r < s.rows; ++r) {
    layer.weights.emplace_back();
    for (int c = 0; c < s.columns; ++c) layer.weights.back().push_back(zeros && c == 1 ? 0 : random() % 2 ? 1 : -1);
    sign.bias.push_back(static_cast<int32_t>(random() % 9) - 4);
  }
  if (s.sign) layer.activation = sign;
  return matrix_kernel(layer, plan_matrix(layer), "layer", 0, s.rows);
}

TEST(Paired, ComputesWhatTheDagSays) {
  std::mt19937_64 random(1);
  for (const Shape& s :
       {Shape{1, 2, 1, 2, true}, Shape{7, 3, 1, 2, true}, Shape{16, 64, 1, 2, true}, Shape{9, 33, 1, 2, false}, Shape{12, 16, 8, 1, true},
        Shape{5, 21, 8, 1, false}, Shape{4, 6, 3, 1, false}, Shape{3, 2, 4, 1, false}, Shape{6, 10, 1, 1, true}}) {
    const LoweredKernel kernel = lowered(s, random);
    const uint32_t bits = static_cast<uint32_t>(s.columns) * s.bits;
    const auto paired = map_paired("layer", kernel.form, bits);
    ASSERT_TRUE(paired);
    const auto difference = verify_mapping(kernel.kernel, *paired);
    EXPECT_FALSE(difference) << s.rows << " x " << s.columns << ", " << s.bits << " bits: invocation " << difference->invocation << ", bit "
                             << difference->bit;
    EXPECT_EQ(paired->ii, map_systolic("layer", kernel.form, bits).ii);
  }
}

TEST(Paired, AWrongWeightIsSeen) {
  std::mt19937_64 random(2);
  LoweredKernel kernel = lowered({8, 16, 4, 1, false}, random);
  for (RowGroup& group : kernel.form.groups) {
    SystolicForm planted = kernel.form;
    int8_t& weight = planted.groups[static_cast<size_t>(&group - kernel.form.groups.data())].planes[0].weights[random() % 16];
    weight = static_cast<int8_t>(-weight);
    EXPECT_TRUE(verify_mapping(kernel.kernel, *map_paired("layer", planted, 64)));
  }
}

TEST(Paired, ThreeCellsForTwoWeights) {
  std::mt19937_64 random(3);
  const LoweredKernel kernel = lowered({64, 64, 1, 2, true}, random);
  const GridConfig grid = map_paired("layer", kernel.form, 64)->grid;
  EXPECT_EQ(grid.width, 97);
  EXPECT_EQ(grid.height, 67);
}

TEST(Paired, OtherFormsAreNot) {
  std::mt19937_64 random(4);
  EXPECT_EQ(map_paired("layer", lowered({4, 8, 1, 2, true}, random, true).form, 8), std::nullopt);
  EXPECT_EQ(map_paired("layer", lowered({4, 1, 1, 2, true}, random).form, 1), std::nullopt);
  LoweredKernel narrow = lowered({4, 8, 3, 1, true}, random);
  narrow.form.columns[3].max = 6;
  EXPECT_EQ(map_paired("layer", narrow.form, 24), std::nullopt);
}

}  // namespace
}  // namespace bitgrid
