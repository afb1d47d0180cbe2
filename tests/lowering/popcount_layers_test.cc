// What both parallel forms of a popcount layer must compute.
#include <gtest/gtest.h>

#include <ostream>
#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "check/verify_kernel.h"
#include "lowering/mapping/matrix/popcount_ii2.h"
#include "tests/lowering/popcount_support.h"

namespace bitgrid::mapping {
namespace {

struct PopcountMapper {
  const char* name;
  MappedKernel (*map)(const PopcountForm& form);
  int64_t (*cells)(const PopcountForm& form);
  int ii;
  friend void PrintTo(const PopcountMapper& m, std::ostream* out) { *out << m.name; }
};

class PopcountLayers : public testing::TestWithParam<PopcountMapper> {};

INSTANTIATE_TEST_SUITE_P(
    Of, PopcountLayers,
    testing::Values(PopcountMapper{"Parallel", [](const PopcountForm& form) { return map_popcount_wave("layer", form); },
                                   popcount_wave_cells, 1},
                    PopcountMapper{"Interleaved", [](const PopcountForm& form) { return map_popcount_ii2("layer", form); },
                                   [](const PopcountForm& form) { return popcount_ii2_size(form).cells(); }, 2}),
    testing::PrintToStringParamName());

void expect_exact(const PopcountMapper& mapper, uint32_t inputs, int outputs, bool ternary, size_t tokens, unsigned seed) {
  std::mt19937 random(seed);
  PopcountForm form = random_form(inputs, outputs, ternary, random);
  const BitMatrix batch = tokens_near(form, tokens, random);
  choose_thetas(form, batch, random);
  const MappedKernel kernel = mapper.map(form);
  verify(kernel);
  ASSERT_EQ(kernel.ii, mapper.ii);
  ASSERT_EQ(static_cast<int64_t>(kernel.grid.cells.size()), mapper.cells(form));
  const auto difference = check::first_difference(answers(form, batch), sim::KernelSimulator(kernel).run(batch));
  ASSERT_FALSE(difference) << inputs << " inputs, " << outputs << " outputs, ternary " << ternary << ": token " << difference->invocation
                           << ", output " << difference->bit << ", theta " << form.rows[difference->bit].theta;
}

TEST_P(PopcountLayers, BinaryOfEveryWidth) {
  for (uint32_t n = 1; n <= 70; ++n) expect_exact(GetParam(), n, 1 + static_cast<int>(n % 9), false, 220, n);
}

TEST_P(PopcountLayers, TernaryOfEveryWidth) {
  for (uint32_t n = 1; n <= 70; ++n) expect_exact(GetParam(), n, 1 + static_cast<int>(n % 9), true, 220, n + 1000);
}

TEST_P(PopcountLayers, WideLayers) {
  for (const bool ternary : {false, true}) {
    expect_exact(GetParam(), 128, 20, ternary, 260, 1);
    expect_exact(GetParam(), 256, 16, ternary, 260, 2);
    expect_exact(GetParam(), 333, 5, ternary, 260, 3);
  }
}

TEST_P(PopcountLayers, ExhaustiveWhereNarrow) {
  std::mt19937 random(5);
  for (const bool ternary : {false, true}) {
    for (uint32_t n = 1; n <= 9; ++n) {
      PopcountForm form = random_form(n, static_cast<int>(n) + 2, ternary, random);
      for (size_t r = 0; r < form.rows.size(); ++r) form.rows[r].theta = static_cast<int64_t>(r);  // 0 .. n + 1
      BitMatrix batch(size_t{1} << n, n);
      for (size_t t = 0; t < batch.rows; ++t) batch.set_word(t, 0, n, t);
      ASSERT_EQ(check::first_difference(answers(form, batch), sim::KernelSimulator(GetParam().map(form)).run(batch)), std::nullopt) << n;
    }
  }
}

TEST_P(PopcountLayers, ScalarGridAgrees) {
  std::mt19937 random(8);
  PopcountForm form = random_form(33, 5, false, random);
  const BitMatrix batch = tokens_near(form, 40, random);
  choose_thetas(form, batch, random);
  EXPECT_EQ(answers(form, batch), sim::KernelSimulator(GetParam().map(form), {sim::GridEngine::kScalar}).run(batch));
}

TEST_P(PopcountLayers, WrongWeightAndWrongThetaAreSeen) {
  std::mt19937 random(7);
  const auto seen = [&](const PopcountForm& planted, const PopcountForm& form, const BitMatrix& batch) {
    return check::first_difference(answers(form, batch), sim::KernelSimulator(GetParam().map(planted)).run(batch)).has_value();
  };
  for (const bool ternary : {false, true}) {
    PopcountForm form = random_form(64, 6, ternary, random);
    const BitMatrix batch = tokens_near(form, 400, random);
    for (PopcountRow& row : form.rows) row.theta = ternary ? 21 : 32;
    ASSERT_FALSE(seen(form, form, batch));
    for (size_t r = 0; r < form.rows.size(); ++r) {
      PopcountForm planted = form;
      int8_t& weight = planted.rows[r].weights[random() % 64];
      weight = weight > 0 ? -1 : 1;
      EXPECT_TRUE(seen(planted, form, batch)) << r;
      planted = form;
      planted.rows[r].theta += r % 2 ? 1 : -1;
      EXPECT_TRUE(seen(planted, form, batch)) << r;
    }
  }
}

}  // namespace
}  // namespace bitgrid::mapping
