#include "lowering/dense_popcount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "check/verify_kernel.h"
#include "ir/error.h"
#include "tests/lowering/popcount_support.h"

namespace bitgrid {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

void expect_exact(uint32_t inputs, int outputs, bool ternary, size_t tokens, unsigned seed) {
  std::mt19937 random(seed);
  DenseBinaryForm form = random_form(inputs, outputs, ternary, random);
  const BitMatrix batch = tokens_near(form, tokens, random);
  choose_thetas(form, batch, random);
  DensePopcountStats stats;
  const MappedKernel kernel = map_dense_popcount("layer", form, &stats);
  ASSERT_EQ(kernel.ii, 1);
  ASSERT_EQ(stats.cells, dense_popcount_cells(form));
  const auto difference = first_difference(answers(form, batch), KernelSimulator(kernel).run(batch));
  ASSERT_FALSE(difference) << inputs << " inputs, " << outputs << " outputs, ternary " << ternary << ": token " << difference->invocation
                           << ", output " << difference->bit << ", theta " << form.rows[difference->bit].theta;
}

TEST(DensePopcount, BinaryOfEveryWidth) {
  for (uint32_t n = 1; n <= 70; ++n) expect_exact(n, 1 + static_cast<int>(n % 9), false, 220, n);
}

TEST(DensePopcount, TernaryOfEveryWidth) {
  for (uint32_t n = 1; n <= 70; ++n) expect_exact(n, 1 + static_cast<int>(n % 9), true, 220, n + 1000);
}

TEST(DensePopcount, WideLayers) {
  for (const bool ternary : {false, true}) {
    expect_exact(128, 20, ternary, 260, 1);
    expect_exact(256, 16, ternary, 260, 2);
    expect_exact(333, 5, ternary, 260, 3);
  }
}

TEST(DensePopcount, ExhaustiveWhereNarrow) {
  std::mt19937 random(5);
  for (const bool ternary : {false, true}) {
    for (uint32_t n = 1; n <= 9; ++n) {
      DenseBinaryForm form = random_form(n, static_cast<int>(n) + 2, ternary, random);
      for (size_t r = 0; r < form.rows.size(); ++r) form.rows[r].theta = static_cast<int64_t>(r);  // 0 .. n + 1
      BitMatrix batch(size_t{1} << n, n);
      for (size_t t = 0; t < batch.rows; ++t) batch.set_word(t, 0, n, t);
      ASSERT_EQ(first_difference(answers(form, batch), KernelSimulator(map_dense_popcount("all", form)).run(batch)), std::nullopt) << n;
    }
  }
}

BitMatrix run_parts(const DenseBinaryForm& form, const std::vector<InputPart>& parts, const BitMatrix& inputs) {
  return run_parts(parts, inputs, dense_popcount_state_bits(form),
                   [&](const InputPart& part) { return map_dense_popcount("part", form, part); });
}

TEST(DensePopcount, PartsHandOnTheirCounts) {
  std::mt19937 random(6);
  for (const bool ternary : {false, true}) {
    DenseBinaryForm form = random_form(61, 9, ternary, random);
    const BitMatrix batch = tokens_near(form, 200, random);
    choose_thetas(form, batch, random);
    for (const auto& parts : {std::vector<InputPart>{{0, 61}}, {{0, 32}, {32, 29}}, {{0, 4}, {4, 4}, {8, 40}, {48, 13}}}) {
      ASSERT_EQ(first_difference(answers(form, batch), run_parts(form, parts, batch)), std::nullopt) << ternary << parts.size();
    }
  }
}

TEST(DensePopcount, WrongWeightAndWrongThetaAreSeen) {
  std::mt19937 random(7);
  const auto seen = [&](const DenseBinaryForm& planted, const DenseBinaryForm& form, const BitMatrix& batch) {
    return first_difference(answers(form, batch), KernelSimulator(map_dense_popcount("planted", planted)).run(batch)).has_value();
  };
  for (const bool ternary : {false, true}) {
    DenseBinaryForm form = random_form(64, 6, ternary, random);
    const BitMatrix batch = tokens_near(form, 400, random);
    for (PopcountRow& row : form.rows) row.theta = ternary ? 21 : 32;
    ASSERT_FALSE(seen(form, form, batch));
    for (size_t r = 0; r < form.rows.size(); ++r) {
      DenseBinaryForm planted = form;
      int8_t& weight = planted.rows[r].weights[random() % 64];
      weight = weight > 0 ? -1 : 1;
      EXPECT_TRUE(seen(planted, form, batch)) << r;
      planted = form;
      planted.rows[r].theta += r % 2 ? 1 : -1;
      EXPECT_TRUE(seen(planted, form, batch)) << r;
    }
  }
}

TEST(DensePopcount, AllAnswersMayBeConstant) {
  std::mt19937 random(11);
  for (const bool ternary : {false, true}) {
    for (const uint32_t n : {1u, 3u, 4u, 12u}) {
      DenseBinaryForm form = random_form(n, 2, ternary, random);
      form.rows[0].theta = 0;
      form.rows[1].theta = n + 1;
      const BitMatrix batch = tokens_near(form, 9, random);
      ASSERT_EQ(answers(form, batch), KernelSimulator(map_dense_popcount("constant", form)).run(batch));
      if (n == 12) {
        ASSERT_EQ(answers(form, batch), run_parts(form, {{0, 4}, {4, 8}}, batch));
      }
    }
  }
}

TEST(DensePopcount, ScalarGridAgrees) {
  std::mt19937 random(8);
  DenseBinaryForm form = random_form(33, 5, false, random);
  const BitMatrix batch = tokens_near(form, 40, random);
  choose_thetas(form, batch, random);
  EXPECT_EQ(answers(form, batch), KernelSimulator(map_dense_popcount("scalar", form), {GridEngine::kScalar}).run(batch));
}

TEST(DensePopcount, SmallThresholdsNeedFewRows) {
  std::mt19937 random(9);
  DenseBinaryForm form = random_form(64, 2, false, random);
  form.rows[0].theta = 32;
  form.rows[1].theta = 61;  // as 4 of the complement
  DensePopcountStats stats;
  map_dense_popcount("rows", form, &stats);
  EXPECT_EQ(stats.rows, 1 + 5 + 2 + 1);
  EXPECT_EQ(stats.columns, 62);
}

TEST(DensePopcount, SignLayersHaveThisForm) {
  std::mt19937_64 random(10);
  for (const Encoding& encoding : {Encoding{1, 2, {-1}}, Encoding{1, 1, {0}}}) {
    for (const bool ternary : {false, true}) {
      const Tensor x{"x", 23, encoding, {1}};
      MatrixLayer layer{"layer", &x, {}, nullptr, Sign{}, false, {}};
      Sign sign;
      for (int r = 0; r < 12; ++r) {
        layer.weights.emplace_back();
        for (int c = 0; c < 23; ++c) layer.weights.back().push_back(ternary ? static_cast<int>(random() % 3) - 1 : random() % 2 ? 1 : -1);
        sign.bias.push_back(static_cast<int>(random() % 13) - 6);
      }
      layer.activation = sign;
      const LoweredKernel lowered = matrix_kernel(layer, plan_matrix(layer), "layer", 2, 9);
      const auto form = dense_binary_form(layer, 2, 9);
      ASSERT_TRUE(form);
      EXPECT_EQ(verify_mapping(lowered.kernel, map_dense_popcount("layer", *form)), std::nullopt);
    }
  }
}

TEST(DensePopcount, OtherLayersDoNot) {
  const Tensor x{"x", 2, {4, 1, {0}}, {15}};
  const MatrixLayer layer{"layer", &x, {{1, -1}}, nullptr, Sign{}, false, {}};
  EXPECT_EQ(dense_binary_form(layer, 0, 1), std::nullopt);
}

TEST(DensePopcount, SaysWhatIsWrong) {
  EXPECT_THAT([] { map_dense_popcount("k", {0, {}}); }, ThrowsMessage<Error>(HasSubstr("without inputs or without outputs")));
  EXPECT_THAT([] { map_dense_popcount("k", {2, {{{1}, 1}}}); }, ThrowsMessage<Error>(HasSubstr("output 0 has 1 weights for 2 inputs")));
  EXPECT_THAT([] { map_dense_popcount("k", {2, {{{1, 2}, 1}}}); }, ThrowsMessage<Error>(HasSubstr("weight 1 of output 0 is 2")));
  const DenseBinaryForm form{8, {{{1, 1, 1, 1, 1, 1, 1, 1}, 3}}};
  EXPECT_THAT([&] { map_dense_popcount("k", form, {0, 3}); }, ThrowsMessage<Error>(HasSubstr("inputs 0 .. 2 are no part of 8")));
  EXPECT_THAT([&] { map_dense_popcount("k", form, {5, 4}); }, ThrowsMessage<Error>(HasSubstr("inputs 5 .. 8 are no part of 8")));
}

}  // namespace
}  // namespace bitgrid
