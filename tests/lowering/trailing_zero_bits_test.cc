#include "lowering/mapping/matrix/trailing_zero_bits.h"

#include <gtest/gtest.h>

#include <random>

#include "check/verify_kernel.h"
#include "lowering/mapping/matrix/sum_difference.h"
#include "lowering/numerics/matrix.h"

namespace bitgrid::mapping {
namespace {

Kernel sign_layer(int columns, bool ternary, int64_t scale, bool raw, unsigned seed) {
  std::mt19937_64 random(seed);
  const Tensor x{"x", columns, {1, scale, {-1}}, {1}};
  numerics::MatrixLayer layer{"layer", &x, {}, nullptr, {}, raw, {}};
  Sign sign;
  for (int r = 0; r < 13; ++r) {
    layer.weights.emplace_back();
    for (int c = 0; c < columns; ++c) layer.weights.back().push_back(ternary ? static_cast<int>(random() % 3) - 1 : random() % 2 ? 1 : -1);
    sign.bias.push_back(static_cast<int32_t>(random() % 9) - 4);
  }
  layer.activation = sign;
  return numerics::matrix_kernel(layer, numerics::plan_matrix(layer), "layer", 0, 13);
}

TEST(IdleSlots, SignsStayAndWordsAreShorter) {
  for (const int columns : {1, 2, 7, 16, 33}) {
    for (const bool ternary : {false, true}) {
      for (const int64_t scale : {2, 8}) {
        const Kernel kernel = sign_layer(columns, ternary, scale, false, static_cast<unsigned>(columns));
        const auto bits = static_cast<uint32_t>(columns);
        const BitSerialForm shorter = drop_trailing_zero_bits(*kernel.form.serial);
        EXPECT_EQ(shorter.word_slots, kernel.form.serial->word_slots - (scale == 2 ? 1 : 3));
        EXPECT_EQ(check::verify_mapping(kernel, map_bit_serial("layer", shorter, bits)), std::nullopt) << columns << ternary << scale;
        if (const auto paired = map_sum_difference("layer", shorter, bits)) {
          EXPECT_EQ(check::verify_mapping(kernel, *paired), std::nullopt) << columns << scale;
        }
      }
    }
  }
}

TEST(IdleSlots, ExactSumsKeepTheirSlots) {
  const Kernel kernel = sign_layer(8, false, 2, true, 1);
  EXPECT_EQ(drop_trailing_zero_bits(*kernel.form.serial).word_slots, kernel.form.serial->word_slots);
}

}  // namespace
}  // namespace bitgrid::mapping
