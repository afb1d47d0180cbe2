#include "lowering/mapping/matrix/sum_difference.h"

#include <gtest/gtest.h>

#include <random>

#include "check/verify_kernel.h"
#include "lowering/numerics/matrix.h"

namespace bitgrid::mapping {
namespace {

struct SumShape {
  int rows, columns;
  uint32_t bits;
  int64_t scale;
  bool sign;
};

Kernel lowered(const SumShape& s, std::mt19937_64& random, bool zeros = false) {
  const Tensor x{"x", s.columns, {s.bits, s.scale, {s.scale == 2 ? -1 : -(int64_t{1} << (s.bits - 1))}}, {(uint64_t{1} << s.bits) - 1}};
  numerics::MatrixLayer layer{"layer", &x, {}, nullptr, {}, !s.sign, {}};
  Sign sign;
  for (int r = 0; r < s.rows; ++r) {
    layer.weights.emplace_back();
    for (int c = 0; c < s.columns; ++c) layer.weights.back().push_back(zeros && c == 1 ? 0 : random() % 2 ? 1 : -1);
    sign.bias.push_back(static_cast<int32_t>(random() % 9) - 4);
  }
  if (s.sign) layer.activation = sign;
  return numerics::matrix_kernel(layer, numerics::plan_matrix(layer), "layer", 0, s.rows);
}

TEST(Paired, ComputesWhatTheDagSays) {
  std::mt19937_64 random(1);
  for (const SumShape& s : {SumShape{1, 2, 1, 2, true}, SumShape{7, 3, 1, 2, true}, SumShape{16, 64, 1, 2, true},
                            SumShape{9, 33, 1, 2, false}, SumShape{12, 16, 8, 1, true}, SumShape{5, 21, 8, 1, false},
                            SumShape{4, 6, 3, 1, false}, SumShape{3, 2, 4, 1, false}, SumShape{6, 10, 1, 1, true}}) {
    const Kernel kernel = lowered(s, random);
    const uint32_t bits = static_cast<uint32_t>(s.columns) * s.bits;
    const auto paired = map_sum_difference("layer", *kernel.form.serial, bits);
    ASSERT_TRUE(paired);
    const auto difference = check::verify_mapping(kernel, *paired);
    EXPECT_FALSE(difference) << s.rows << " x " << s.columns << ", " << s.bits << " bits: invocation " << difference->invocation << ", bit "
                             << difference->bit;
    EXPECT_EQ(paired->ii, map_bit_serial("layer", *kernel.form.serial, bits).ii);
  }
}

TEST(Paired, AWrongWeightIsSeen) {
  std::mt19937_64 random(2);
  Kernel kernel = lowered({8, 16, 4, 1, false}, random);
  for (RowGroup& group : kernel.form.serial->groups) {
    BitSerialForm planted = *kernel.form.serial;
    int8_t& weight = planted.groups[static_cast<size_t>(&group - kernel.form.serial->groups.data())].planes[0].weights[random() % 16];
    weight = static_cast<int8_t>(-weight);
    EXPECT_TRUE(check::verify_mapping(kernel, *map_sum_difference("layer", planted, 64)));
  }
}

TEST(Paired, ThreeCellsForTwoWeights) {
  std::mt19937_64 random(3);
  const Kernel kernel = lowered({64, 64, 1, 2, true}, random);
  const GridConfig grid = map_sum_difference("layer", *kernel.form.serial, 64)->grid;
  EXPECT_EQ(grid.width, 97);
  EXPECT_EQ(grid.height, 67);
}

TEST(Paired, OtherFormsAreNot) {
  std::mt19937_64 random(4);
  EXPECT_EQ(map_sum_difference("layer", *lowered({4, 8, 1, 2, true}, random, true).form.serial, 8), std::nullopt);
  EXPECT_EQ(map_sum_difference("layer", *lowered({4, 1, 1, 2, true}, random).form.serial, 1), std::nullopt);
  Kernel narrow = lowered({4, 8, 3, 1, true}, random);
  narrow.form.serial->columns[3].max = 6;
  EXPECT_EQ(map_sum_difference("layer", *narrow.form.serial, 24), std::nullopt);
}

}  // namespace
}  // namespace bitgrid::mapping
