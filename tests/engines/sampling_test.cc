#include "engines/sampling.h"

#include <gtest/gtest.h>

#include <array>

#include "frontend/checkpoint/convert.h"

namespace bitgrid::engines {
namespace {

/// Draws 20,000 tokens of four logits 0, -1, -2 and -8 nat at temperature 1; shares of each.
std::array<double, 4> shares(ScaledSampler sampler) {
  const std::vector<int32_t> table = frontend::function_tables(2, 1.0).sampling;
  const cpu::ScaledLogits z = {{0, -4096, -8192, -32768}, shifted(scalar(1), -12)};
  std::array<double, 4> share = {};
  for (int i = 0; i < 20000; ++i) share[static_cast<size_t>(next_token(sampler, z, table))] += 1.0 / 20000;
  return share;
}

ScaledSampler at_temperature(double t) {
  ScaledSampler s;
  s.per_temperature = constant(1.0 / t);
  s.state = 1;
  return s;
}

TEST(ScaledSampling, GreedyTakesTheFirstOfTheLargest) {
  ScaledSampler greedy;
  EXPECT_EQ(next_token(greedy, {{1, 7, 7, 3}, scalar(1)}, {}), 1);
}

TEST(ScaledSampling, FollowsTheSoftmax) {
  const auto s = shares(at_temperature(1.0));
  EXPECT_NEAR(s[0], 0.665, 0.02);
  EXPECT_NEAR(s[1], 0.245, 0.02);
  EXPECT_NEAR(s[2], 0.090, 0.02);
  EXPECT_LT(s[3], 0.002);
}

TEST(ScaledSampling, ALowTemperatureIsGreedy) {
  EXPECT_NEAR(shares(at_temperature(1e-3))[0], 1.0, 1e-9);
}

TEST(ScaledSampling, TopKKeepsTheLargest) {
  ScaledSampler sampler = at_temperature(1.0);
  sampler.top_k = 2;
  const auto s = shares(sampler);
  EXPECT_NEAR(s[0], 0.731, 0.02);
  EXPECT_EQ(s[2] + s[3], 0.0);
}

TEST(ScaledSampling, TopPKeepsTheShortestRunThatReachesIt) {
  ScaledSampler sampler = at_temperature(1.0);
  sampler.top_p = 43000;  // 0.656: the first token alone
  EXPECT_NEAR(shares(sampler)[0], 1.0, 1e-9);
  sampler.top_p = 45000;  // 0.687
  const auto s = shares(sampler);
  EXPECT_GT(s[1], 0.2);
  EXPECT_EQ(s[2], 0.0);
}

}  // namespace
}  // namespace bitgrid::engines
