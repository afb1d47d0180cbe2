#include "lowering/dense_interleaved.h"

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
  const MappedKernel kernel = map_interleaved_popcount("layer", form);
  verify(kernel);
  ASSERT_EQ(kernel.ii, 2);
  ASSERT_EQ(static_cast<int64_t>(kernel.grid.cells.size()), interleaved_size(form).cells());
  const auto difference = first_difference(answers(form, batch), KernelSimulator(kernel).run(batch));
  ASSERT_FALSE(difference) << inputs << " inputs, " << outputs << " outputs, ternary " << ternary << ": token " << difference->invocation
                           << ", output " << difference->bit << ", theta " << form.rows[difference->bit].theta;
}

TEST(DenseInterleaved, BinaryOfEveryWidth) {
  for (uint32_t n = 1; n <= 70; ++n) expect_exact(n, 1 + static_cast<int>(n % 9), false, 220, n);
}

TEST(DenseInterleaved, TernaryOfEveryWidth) {
  for (uint32_t n = 1; n <= 70; ++n) expect_exact(n, 1 + static_cast<int>(n % 9), true, 220, n + 1000);
}

TEST(DenseInterleaved, WideLayers) {
  for (const bool ternary : {false, true}) {
    expect_exact(128, 20, ternary, 260, 1);
    expect_exact(256, 16, ternary, 260, 2);
    expect_exact(333, 5, ternary, 260, 3);
  }
}

TEST(DenseInterleaved, ExhaustiveWhereNarrow) {
  std::mt19937 random(5);
  for (const bool ternary : {false, true}) {
    for (uint32_t n = 1; n <= 9; ++n) {
      DenseBinaryForm form = random_form(n, static_cast<int>(n) + 2, ternary, random);
      for (size_t r = 0; r < form.rows.size(); ++r) form.rows[r].theta = static_cast<int64_t>(r);  // 0 .. n + 1
      BitMatrix batch(size_t{1} << n, n);
      for (size_t t = 0; t < batch.rows; ++t) batch.set_word(t, 0, n, t);
      ASSERT_EQ(first_difference(answers(form, batch), KernelSimulator(map_interleaved_popcount("all", form)).run(batch)), std::nullopt)
          << n;
    }
  }
}

TEST(DenseInterleaved, ScalarGridAgrees) {
  std::mt19937 random(8);
  DenseBinaryForm form = random_form(33, 5, false, random);
  const BitMatrix batch = tokens_near(form, 40, random);
  choose_thetas(form, batch, random);
  EXPECT_EQ(answers(form, batch), KernelSimulator(map_interleaved_popcount("scalar", form), {GridEngine::kScalar}).run(batch));
}

TEST(DenseInterleaved, PartsHandOnTheirCounts) {
  std::mt19937 random(6);
  for (const bool ternary : {false, true}) {
    DenseBinaryForm form = random_form(61, 9, ternary, random);
    const BitMatrix batch = tokens_near(form, 200, random);
    choose_thetas(form, batch, random);
    const auto map = [&](const InputPart& part) { return map_interleaved_popcount("part", form, part); };
    for (const auto& parts : {std::vector<InputPart>{{0, 61}}, {{0, 32}, {32, 29}}, {{0, 1}, {1, 3}, {4, 44}, {48, 13}}}) {
      ASSERT_EQ(first_difference(answers(form, batch), run_parts(parts, batch, interleaved_state_bits(form), map)), std::nullopt)
          << ternary << parts.size();
    }
  }
}

TEST(DenseInterleaved, WrongWeightAndWrongThetaAreSeen) {
  std::mt19937 random(7);
  const auto seen = [&](const DenseBinaryForm& planted, const DenseBinaryForm& form, const BitMatrix& batch) {
    return first_difference(answers(form, batch), KernelSimulator(map_interleaved_popcount("planted", planted)).run(batch)).has_value();
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

TEST(DenseInterleaved, AllAnswersMayBeConstant) {
  std::mt19937 random(11);
  for (const uint32_t n : {1u, 3u, 12u}) {
    DenseBinaryForm form = random_form(n, 2, false, random);
    form.rows[0].theta = 0;
    form.rows[1].theta = n + 1;
    const BitMatrix batch = tokens_near(form, 9, random);
    ASSERT_EQ(answers(form, batch), KernelSimulator(map_interleaved_popcount("constant", form)).run(batch));
  }
}

/// The goals of docs/density.md, in binary multiply-accumulates per cell and cycle.
TEST(DenseInterleaved, DensityOfSquareLayers) {
  std::mt19937 random(12);
  const auto density = [&](uint32_t n) {
    DenseBinaryForm form = random_form(n, static_cast<int>(n), false, random);
    for (PopcountRow& row : form.rows) row.theta = n / 2;
    return n * n / (2.0 * static_cast<double>(interleaved_size(form).cells()));
  };
  EXPECT_GT(density(64), 0.28);
  EXPECT_GT(density(256), 0.22);
}

TEST(DenseInterleaved, SaysWhatIsWrong) {
  EXPECT_THAT([] { map_interleaved_popcount("k", {0, {}}); }, ThrowsMessage<Error>(HasSubstr("without inputs or without outputs")));
  const DenseBinaryForm form{8, {{{1, 1, 1, 1, 1, 1, 1, 1}, 3}}};
  EXPECT_THAT([&] { map_interleaved_popcount("k", form, {5, 4}); }, ThrowsMessage<Error>(HasSubstr("inputs 5 .. 8 are no part of 8")));
}

}  // namespace
}  // namespace bitgrid
