#include "lowering/mapping/matrix/popcount_ii2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "check/verify_kernel.h"
#include "ir/error.h"
#include "tests/lowering/popcount_support.h"

namespace bitgrid::mapping {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(DenseInterleaved, PartsHandOnTheirCounts) {
  std::mt19937 random(6);
  for (const bool ternary : {false, true}) {
    PopcountForm form = random_form(61, 9, ternary, random);
    const BitMatrix batch = tokens_near(form, 200, random);
    choose_thetas(form, batch, random);
    const auto map = [&](const InputPart& part) { return map_popcount_ii2("part", form, part); };
    for (const auto& parts : {std::vector<InputPart>{{0, 61}}, {{0, 32}, {32, 29}}, {{0, 1}, {1, 3}, {4, 44}, {48, 13}}}) {
      ASSERT_EQ(check::first_difference(answers(form, batch), run_parts(parts, batch, popcount_ii2_state_bits(form), map)), std::nullopt)
          << ternary << parts.size();
    }
  }
}

TEST(DenseInterleaved, AllAnswersMayBeConstant) {
  std::mt19937 random(11);
  for (const uint32_t n : {1u, 3u, 12u}) {
    PopcountForm form = random_form(n, 2, false, random);
    form.rows[0].theta = 0;
    form.rows[1].theta = n + 1;
    const BitMatrix batch = tokens_near(form, 9, random);
    ASSERT_EQ(answers(form, batch), sim::KernelSimulator(map_popcount_ii2("constant", form)).run(batch));
  }
}

/// The goals of docs/density.md, in binary multiply-accumulates per cell and cycle.
TEST(DenseInterleaved, DensityOfSquareLayers) {
  std::mt19937 random(12);
  const auto density = [&](uint32_t n) {
    PopcountForm form = random_form(n, static_cast<int>(n), false, random);
    for (PopcountRow& row : form.rows) row.theta = n / 2;
    return n * n / (2.0 * static_cast<double>(popcount_ii2_size(form).cells()));
  };
  EXPECT_GT(density(64), 0.28);
  EXPECT_GT(density(256), 0.22);
}

TEST(DenseInterleaved, SaysWhatIsWrong) {
  EXPECT_THAT([] { map_popcount_ii2("k", {0, {}}); }, ThrowsMessage<Error>(HasSubstr("without inputs or without outputs")));
  const PopcountForm form{8, {{{1, 1, 1, 1, 1, 1, 1, 1}, 3}}};
  EXPECT_THAT([&] { map_popcount_ii2("k", form, {5, 4}); }, ThrowsMessage<Error>(HasSubstr("inputs 5 .. 8 are not part of 8")));
}

}  // namespace
}  // namespace bitgrid::mapping
