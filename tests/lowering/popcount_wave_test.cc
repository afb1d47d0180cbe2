#include "lowering/mapping/matrix/popcount_wave.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "check/verify_kernel.h"
#include "ir/error.h"
#include "lowering/numerics/matrix.h"
#include "tests/lowering/popcount_support.h"

namespace bitgrid::mapping {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

BitMatrix run_parts(const PopcountForm& form, const std::vector<InputPart>& parts, const BitMatrix& inputs) {
  return mapping::run_parts(parts, inputs, popcount_wave_state_bits(form),
                            [&](const InputPart& part) { return map_popcount_wave("part", form, part); });
}

TEST(DensePopcount, PartsHandOnTheirCounts) {
  std::mt19937 random(6);
  for (const bool ternary : {false, true}) {
    PopcountForm form = random_form(61, 9, ternary, random);
    const BitMatrix batch = tokens_near(form, 200, random);
    choose_thetas(form, batch, random);
    for (const auto& parts : {std::vector<InputPart>{{0, 61}}, {{0, 32}, {32, 29}}, {{0, 4}, {4, 4}, {8, 40}, {48, 13}}}) {
      ASSERT_EQ(check::first_difference(answers(form, batch), run_parts(form, parts, batch)), std::nullopt) << ternary << parts.size();
    }
  }
}

TEST(DensePopcount, AllAnswersMayBeConstant) {
  std::mt19937 random(11);
  for (const bool ternary : {false, true}) {
    for (const uint32_t n : {1u, 3u, 4u, 12u}) {
      PopcountForm form = random_form(n, 2, ternary, random);
      form.rows[0].theta = 0;
      form.rows[1].theta = n + 1;
      const BitMatrix batch = tokens_near(form, 9, random);
      ASSERT_EQ(answers(form, batch), sim::KernelSimulator(map_popcount_wave("constant", form)).run(batch));
      if (n == 12) {
        ASSERT_EQ(answers(form, batch), run_parts(form, {{0, 4}, {4, 8}}, batch));
      }
    }
  }
}

TEST(DensePopcount, SmallThresholdsNeedFewRows) {
  std::mt19937 random(9);
  PopcountForm form = random_form(64, 2, false, random);
  form.rows[0].theta = 32;
  form.rows[1].theta = 61;  // as 4 of the complement
  PopcountWaveStats stats;
  map_popcount_wave("rows", form, &stats);
  EXPECT_EQ(stats.rows, 1 + 5 + 2 + 1);
  EXPECT_EQ(stats.columns, 62);
}

TEST(DensePopcount, SignLayersHaveThisForm) {
  std::mt19937_64 random(10);
  for (const Encoding& encoding : {Encoding{1, 2, {-1}}, Encoding{1, 1, {0}}}) {
    for (const bool ternary : {false, true}) {
      const Tensor x{"x", 23, encoding, {1}};
      numerics::MatrixLayer layer{"layer", &x, {}, nullptr, Sign{}, false, {}};
      Sign sign;
      for (int r = 0; r < 12; ++r) {
        layer.weights.emplace_back();
        for (int c = 0; c < 23; ++c) layer.weights.back().push_back(ternary ? static_cast<int>(random() % 3) - 1 : random() % 2 ? 1 : -1);
        sign.bias.push_back(static_cast<int>(random() % 13) - 6);
      }
      layer.activation = sign;
      const Kernel kernel = numerics::matrix_kernel(layer, numerics::plan_matrix(layer), "layer", 2, 9);
      const auto form = numerics::popcount_form(layer, 2, 9);
      ASSERT_TRUE(form);
      EXPECT_EQ(check::verify_mapping(kernel, map_popcount_wave("layer", *form)), std::nullopt);
    }
  }
}

TEST(DensePopcount, OtherLayersDoNot) {
  const Tensor x{"x", 2, {4, 1, {0}}, {15}};
  const numerics::MatrixLayer layer{"layer", &x, {{1, -1}}, nullptr, Sign{}, false, {}};
  EXPECT_EQ(numerics::popcount_form(layer, 0, 1), std::nullopt);
}

TEST(DensePopcount, SaysWhatIsWrong) {
  EXPECT_THAT([] { map_popcount_wave("k", {0, {}}); }, ThrowsMessage<Error>(HasSubstr("without inputs or without outputs")));
  EXPECT_THAT([] { map_popcount_wave("k", {2, {{{1}, 1}}}); }, ThrowsMessage<Error>(HasSubstr("output 0 has 1 weights for 2 inputs")));
  EXPECT_THAT([] { map_popcount_wave("k", {2, {{{1, 2}, 1}}}); }, ThrowsMessage<Error>(HasSubstr("weight 1 of output 0 is 2")));
  const PopcountForm form{8, {{{1, 1, 1, 1, 1, 1, 1, 1}, 3}}};
  EXPECT_THAT([&] { map_popcount_wave("k", form, {0, 3}); }, ThrowsMessage<Error>(HasSubstr("inputs 0 .. 2 are not part of 8")));
  EXPECT_THAT([&] { map_popcount_wave("k", form, {5, 4}); }, ThrowsMessage<Error>(HasSubstr("inputs 5 .. 8 are not part of 8")));
}

}  // namespace
}  // namespace bitgrid::mapping
