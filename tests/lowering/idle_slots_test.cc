#include "lowering/idle_slots.h"

#include <gtest/gtest.h>

#include <random>

#include "check/verify_kernel.h"
#include "lowering/matrix.h"
#include "lowering/paired.h"

namespace bitgrid {
namespace {

LoweredKernel sign_layer(int columns, bool ternary, int64_t scale, bool raw, unsigned seed) {
  std::mt19937_64 random(seed);
  const Tensor x{"x", columns, {1, scale, {-1}}, {1}};
  MatrixLayer layer{"layer", &x, {}, nullptr, {}, raw, {}};
  Sign sign;
  for (int r = 0; r < 13; ++r) {
    layer.weights.emplace_back();
    for (int c = 0; c < columns; ++c) layer.weights.back().push_back(ternary ? static_cast<int>(random() % 3) - 1 : random() % 2 ? 1 : -1);
    sign.bias.push_back(static_cast<int32_t>(random() % 9) - 4);
  }
  layer.activation = sign;
  return matrix_kernel(layer, plan_matrix(layer), "layer", 0, 13);
}

TEST(IdleSlots, SignsStayAndWordsAreShorter) {
  for (const int columns : {1, 2, 7, 16, 33}) {
    for (const bool ternary : {false, true}) {
      for (const int64_t scale : {2, 8}) {
        const LoweredKernel kernel = sign_layer(columns, ternary, scale, false, static_cast<unsigned>(columns));
        const auto bits = static_cast<uint32_t>(columns);
        const SystolicForm shorter = drop_idle_slots(kernel.form);
        EXPECT_EQ(shorter.word_slots, kernel.form.word_slots - (scale == 2 ? 1 : 3));
        EXPECT_EQ(verify_mapping(kernel.kernel, map_systolic("layer", shorter, bits)), std::nullopt) << columns << ternary << scale;
        if (const auto paired = map_paired("layer", shorter, bits)) {
          EXPECT_EQ(verify_mapping(kernel.kernel, *paired), std::nullopt) << columns << scale;
        }
      }
    }
  }
}

TEST(IdleSlots, ExactSumsKeepTheirSlots) {
  const LoweredKernel kernel = sign_layer(8, false, 2, true, 1);
  EXPECT_EQ(drop_idle_slots(kernel.form).word_slots, kernel.form.word_slots);
}

}  // namespace
}  // namespace bitgrid
