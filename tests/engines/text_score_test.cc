#include "engines/text_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace bitgrid::engines {
namespace {

TEST(TextScore, BitsOfEvenLogits) {
  const std::vector<int64_t> z = {5, 5, 5, 5};
  EXPECT_DOUBLE_EQ(bits_of(z, 0.1, 2), 2.0);
}

TEST(TextScore, ProbabilitiesSumToOne) {
  double sum = 0.0;
  for (const double l : log_probabilities(std::vector<int64_t>{100, -3, 7, 55}, 0.03)) sum += std::exp(l);
  EXPECT_NEAR(sum, 1.0, 1e-12);
}

TEST(TextScore, WindowsDoNotOverlapAndHaveTwoTokens) {
  const std::vector<int> tokens = {1, 2, 3, 4, 5, 6, 7};
  const auto windows = windows_of(tokens, 3);
  ASSERT_EQ(windows.size(), 2u);  // the last would have one token, which nothing predicts
  EXPECT_THAT(std::vector<int>(windows[1].begin(), windows[1].end()), ::testing::ElementsAre(4, 5, 6));
  EXPECT_EQ(windows_of(tokens, 0).size(), 1u);
}

}  // namespace
}  // namespace bitgrid::engines
