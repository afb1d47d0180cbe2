#include "reference_cpu/golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "ir/error.h"

namespace bitgrid::cpu::golden {
namespace {

Vec random_vector(std::mt19937& random, size_t n, int lo, int hi) {
  Vec v(n);
  for (int64_t& x : v) x = lo + static_cast<int64_t>(random() % static_cast<unsigned>(hi - lo + 1));
  return v;
}

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

TEST(Golden, Relu2) {
  EXPECT_EQ(relu2({0, 1, 5, 6, 64, 127}), (Vec{0, 0, 0, 1, 64, 252}));
}

TEST(Golden, ResidualNeverSaturatesUnlessItHasAWidth) {
  EXPECT_EQ(residual({2047, -2047}, {100, -100}), (Vec{2147, -2147}));
  EXPECT_EQ(residual({2047, -2047, 3}, {100, -100, 4}, 12), (Vec{2047, -2047, 7}));
}

TEST(Golden, RmsNormIsNearTheRealOne) {
  const int d = 64;
  const double units = 1.5;
  const int f = static_cast<int>(std::floor(std::log2(1023 / (units * std::sqrt(d)))));
  std::vector<int32_t> r;
  for (int i = 0; i < 96; ++i)
    r.push_back(static_cast<int32_t>(std::floor(units * std::sqrt(d) * std::pow(2.0, f) / std::sqrt((i + 32) / 32.0) + 0.5)));
  std::mt19937 random(3);
  for (const int size : {1, 10, 500, 2000}) {
    const Vec x = random_vector(random, d, -size, size);
    double ss = 0;
    for (const int64_t v : x) ss += static_cast<double>(v * v);
    const Vec y = rmsnorm(x, r, f, 7);
    for (size_t c = 0; c < x.size(); ++c) {
      const double real = std::clamp(units * static_cast<double>(x[c]) / std::sqrt(std::max(ss, 1.0) / d), -7.0, 7.0);
      EXPECT_NEAR(static_cast<double>(y[c]), real, 0.65);
    }
  }
  EXPECT_EQ(rmsnorm(Vec(64, 0), r, f, 7), Vec(64, 0));
}

TEST(Golden, RmsNormByHand) {
  // ss = 25, k = floor(log2 25) / 2 = 2, index = (25 << 5 >> 4) - 32 = 18; y = (x * r + 2^(k+f-1)) >> (k+f) with f = 3, r = 100.
  std::vector<int32_t> r(96, 0);
  r[18] = 100;
  EXPECT_EQ(rmsnorm({3, -4}, r, 3, 127), (Vec{(300 + 16) >> 5, (-400 + 16) >> 5}));
  // k + f = 0: no rounding term.
  r.assign(96, 2);
  EXPECT_EQ(rmsnorm({1, 0}, r, 0, 127), (Vec{2, 0}));
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

std::vector<int32_t> exponentials() {
  std::vector<int32_t> x;
  for (int i = 0; i < 256; ++i) x.push_back(static_cast<int32_t>(std::floor(255 * std::exp(-i / 16.0) + 0.5)));
  return x;
}

std::vector<int32_t> reciprocals() {
  std::vector<int32_t> q;
  for (int i = 0; i < 64; ++i) q.push_back(static_cast<int32_t>(std::floor(512 / ((i + 64) / 64.0) + 0.5)));
  return q;
}

TEST(Golden, SoftmaxOfOnePositionIsSixteenTimesItsValue) {
  // e = den = 255, k = 7, r = Q[63] = 258: (3 * 255 * 258 + 2048) >> 12 and (-7 * 255 * 258 + 2048) >> 12.
  EXPECT_EQ(softmax_attention({5}, {{3, -7}}, 2, {1, 0}, exponentials(), reciprocals()), (Vec{48, -112}));
  EXPECT_EQ(shift_softmax_attention({5}, {{3, -7}}, 2, {1, 0}), (Vec{48, -112}));
}

TEST(Golden, SoftmaxIsNearTheRealOne) {
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    const Vec scores = random_vector(random, 20, -60, 60);
    std::vector<Vec> values;
    for (int j = 0; j < 20; ++j) values.push_back(random_vector(random, 4, -127, 127));
    const Vec o = softmax_attention(scores, values, 4, {1, 0}, exponentials(), reciprocals());
    const int64_t top = *std::max_element(scores.begin(), scores.end());
    for (size_t c = 0; c < 4; ++c) {
      double num = 0, den = 0;
      for (size_t j = 0; j < 20; ++j) {
        const double e = std::exp(-static_cast<double>(top - scores[j]) / 16);
        num += e * static_cast<double>(values[j][c]);
        den += e;
      }
      EXPECT_NEAR(static_cast<double>(o[c]), 16 * num / den, 35.0);  // under 2 % of the values' range of 16 * 127
    }
  }
}

TEST(Golden, ShiftSoftmaxByHand) {
  // Differences 0, 1, 9: e = 128, 64, 0; den = 192, k = 7; o = 16 * (128 * 3 + 64 * -5) >> 7.
  EXPECT_EQ(shift_softmax_attention({10, 9, 1}, {{3}, {-5}, {99}}, 1, {1, 0}), (Vec{(16 * (384 - 320)) >> 7}));
  // A far smaller score does not shift by more bits than there are.
  EXPECT_EQ(shift_softmax_attention({100000, 0}, {{1}, {5}}, 1, {1, 0}), (Vec{16}));
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
