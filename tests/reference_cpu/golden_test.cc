#include "reference_cpu/golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ir/error.h"

namespace bitgrid::cpu::golden {
namespace {

TEST(Golden, EmbeddingAddsEarlierTokensAndNothingBeforeTheStart) {
  Embedding e;
  e.tables = {{1, 2, 3, 4}, {10, 20, 30, 40}};  // two symbols, width 2
  EXPECT_EQ(embedding(e, 2, {1}), (Vec{3, 4}));
  EXPECT_EQ(embedding(e, 2, {1, 0}), (Vec{13, 24}));
  EXPECT_EQ(embedding(e, 2, {0, 1, 1}), (Vec{31, 42}));  // tokens further back have no table
}

TEST(Golden, LinearByHand) {
  const Matrix w{"w", WeightValues::kInt2, 2, 3, {1, -1, 0, 2, 0, -1}};
  EXPECT_EQ(linear(w, {5, 7, 100}), (Vec{-2, -90}));
}

TEST(Golden, RequantiseByHand) {
  EXPECT_EQ(requantise(7, 0, 1, 2, -7, 7), 2);       // 7/4 = 1.75
  EXPECT_EQ(requantise(6, 0, 1, 2, -7, 7), 2);       // 1.5 rounds up
  EXPECT_EQ(requantise(-6, 0, 1, 2, -7, 7), -1);     // -1.5 rounds up, too
  EXPECT_EQ(requantise(-7, 0, 1, 2, -7, 7), -2);     // -1.75
  EXPECT_EQ(requantise(5, 2, 3, 1, -127, 127), 11);  // (21 + 1) >> 1
  EXPECT_EQ(requantise(3, 0, 1, 0, -7, 7), 3);       // no rounding term
  EXPECT_EQ(requantise(-3, 1, 1, -1, -7, 7), -4);    // times two
  EXPECT_EQ(requantise(-3, 0, 1, -2, -7, 7), -7);    // clamped
  EXPECT_EQ(requantise(-100, 0, 1, 2, 0, 15), 0);
  EXPECT_EQ(requantise(1000, 0, 1, 2, 0, 15), 15);
}

TEST(Golden, RequantiseIsRoundingHalfUp) {
  for (int shift = -2; shift <= 5; ++shift) {
    for (int u = -600; u <= 600; ++u) {
      const double exact = std::floor(u * 3 / std::pow(2.0, shift) + (shift > 0 ? 0.5 : 0.0));
      EXPECT_EQ(requantise(u, 0, 3, shift, -127, 127), static_cast<int64_t>(std::clamp(exact, -127.0, 127.0))) << u << " " << shift;
    }
  }
}

TEST(Golden, RequantiseTakesBiasAndMultiplierByChannel) {
  Requantise r{1, -127, 127, {1, 3}, {0, 10}};
  EXPECT_EQ(requantise(Vec{5, 5}, r), (Vec{3, 23}));  // (5+1)>>1, (45+1)>>1
  r.multiplier = {2};
  r.bias.clear();
  EXPECT_EQ(requantise(Vec{5, -5}, r), (Vec{5, -5}));
}

TEST(Golden, SignOfZeroIsPlus) {
  EXPECT_EQ(sign({-1, 0, 1}, {}), (Vec{-1, 1, 1}));
  EXPECT_EQ(sign({-1, 0, 1}, {{1, -1, -1}}), (Vec{1, -1, 1}));
}

TEST(Golden, TableStartsAtItsLow) {
  const Table t{"t", -2, {10, 20, 30, 40, 50}};
  EXPECT_EQ(table({-2, 0, 2}, t), (Vec{10, 30, 50}));
  EXPECT_THROW(table({3}, t), Error);
  EXPECT_THROW(table({-3}, t), Error);
}

TEST(Golden, ResidualNeverSaturates) {
  EXPECT_EQ(residual({2047, -2047}, {100, -100}), (Vec{2147, -2147}));
}

TEST(Golden, Score) {
  EXPECT_EQ(score({1, 2, 3}, {-1, 0, 1}, 10), 12);
}

TEST(Golden, ThresholdWeights) {
  EXPECT_EQ(threshold_weights({-100, 7, 8, 24, 1000}, {4, 0, 15, {}, {}}), (Vec{0, 0, 1, 2, 15}));
  EXPECT_EQ(threshold_weights({-1, 0, 1}, {0, 0, 1, {}, {}}), (Vec{0, 0, 1}));
  EXPECT_EQ(threshold_weights({3}, {1, 0, 15, {5}, {}}), (Vec{8}));
}

TEST(Golden, Mix) {
  EXPECT_EQ(mix({2, 0, 3}, {{1, -1}, {100, 100}, {0, 5}}, 2), (Vec{2, 13}));
}

TEST(Golden, HeadAddsItsBias) {
  const Head h{{}, {"w", WeightValues::kTernary, 2, 2, {1, 1, -1, 0}}, {100, 200}};
  EXPECT_EQ(head(h, {3, 4}), (Vec{107, 197}));
}

TEST(Golden, ArgmaxTakesTheLowestIndex) {
  EXPECT_EQ(argmax({1, 5, 5, 2}), 1);
}

TEST(Golden, GeneratorByHand) {
  EXPECT_EQ(next_random(0), 1013904223u);
  EXPECT_EQ(next_random(1013904223u), 1196435762u);
}

TEST(Golden, DrawByHand) {
  std::vector<int32_t> weights(4096, 0);
  weights[0] = 3;
  weights[1] = 1;  // logits {10, 9, 10, 0}: weights 3 1 3 0, sum 7
  const auto at = [&](double fraction) { return draw({10, 9, 10, 0}, weights, static_cast<uint32_t>(fraction * 4294967296.0)); };
  EXPECT_EQ(at(0.0), 0);
  EXPECT_EQ(at(2.9 / 7), 0);
  EXPECT_EQ(at(3.1 / 7), 1);
  EXPECT_EQ(at(4.1 / 7), 2);
  EXPECT_EQ(draw({10, 9, 10, 0}, weights, 0xFFFFFFFFu), 2);
}

TEST(Golden, DrawTakesTheLastEntryForFarLogits) {
  std::vector<int32_t> weights(4096, 0);
  weights[0] = 1;
  weights[4095] = 1;
  EXPECT_EQ(draw({0, 100000}, weights, 0), 0);
  EXPECT_EQ(draw({0, 100000}, weights, 0xFFFFFFFFu), 1);
}

}  // namespace
}  // namespace bitgrid::cpu::golden
