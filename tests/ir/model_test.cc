#include "ir/model.h"

#include <gtest/gtest.h>

#include <functional>

#include "ir/model_ranges.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_model.h"

namespace bitgrid {
namespace {

using Block = TinyParams::Block;

Model sample() {
  TinyParams p;
  p.layers = {Block::kAttention, Block::kFeedForward, Block::kLinear};
  p.table = true;
  return tiny_model(p);
}

Attention& attention(Model& m) {
  return std::get<Attention>(m.layers[0]);
}
FeedForward& feed_forward(Model& m) {
  return std::get<FeedForward>(m.layers[1]);
}
Dense& dense(Model& m) {
  return std::get<Dense>(m.layers[2]);
}
Requantise& requantise(Activation& a) {
  return std::get<Requantise>(a);
}

TEST(Verify, AcceptsGoodModels) {
  EXPECT_NO_THROW(verify(sample()));
}

/// A way to spoil a good model, and where the checker must see it.
struct Corruption {
  const char* where;
  const char* problem;
  std::function<void(Model&)> spoil;
};

TEST(Verify, NamesWhatIsWrong) {
  const std::vector<Corruption> corruptions = {
      {"vocabulary", "0 symbols", [](Model& m) { m.vocabulary.clear(); }},
      {"vocabulary", "the symbol 'a' appears twice in the vocabulary, at 2 and 4", [](Model& m) { m.vocabulary[4] = 'a'; }},
      {"width", "the width 0 is outside", [](Model& m) { m.width = 0; }},
      {"embedding", "0 embedding tables", [](Model& m) { m.embedding.tables.clear(); }},
      {"embedding.0", "the embedding table holds 63 values", [](Model& m) { m.embedding.tables[0].pop_back(); }},
      {"embedding.0", "the value 32 at [1, 2] of the embedding is outside its range [-31, 31]",
       [](Model& m) { m.embedding.tables[0][10] = 32; }},
      {"embedding.range", "[5, -5]", [](Model& m) { m.embedding.lo = 5, m.embedding.hi = -5; }},
      {"layers", "0 layers", [](Model& m) { m.layers.clear(); }},
      {"layers.0.heads", "3 heads do not divide the width 8", [](Model& m) { attention(m).heads = 3; }},
      {"layers.0.heads", "0 heads", [](Model& m) { attention(m).heads = 0; }},
      {"layers.0.window", "a window of 0", [](Model& m) { attention(m).window = 0; }},
      {"layers.0.input", "a requantisation or a sign is missing", [](Model& m) { attention(m).input = std::monostate{}; }},
      {"layers.0.input.range", "[-8, 7] is not a valid range", [](Model& m) { requantise(attention(m).input).lo = -8; }},
      {"layers.0.input.shift", "the shift 41", [](Model& m) { requantise(attention(m).input).shift = 41; }},
      {"layers.0.input.bias", "7 biases for 8 channels", [](Model& m) { requantise(attention(m).input).bias.pop_back(); }},
      {"layers.0.input.multiplier", "2 multipliers for 8 channels",
       [](Model& m) {
         requantise(attention(m).input).multiplier = {1, 2};
       }},
      {"layers.0.input.multiplier", "the multiplier 256 of channel 0", [](Model& m) { requantise(attention(m).input).multiplier = {256}; }},
      {"layers.0.query.range", "queries are requantised to [-7, 7]",
       [](Model& m) {
         attention(m).query.activation = Requantise{0, -7, 7, {}, {}};
       }},
      {"layers.0.key", "a requantisation or a sign is missing", [](Model& m) { attention(m).key.activation = std::monostate{}; }},
      {"layers.0.value.table", "an attention layer does not take a table",
       [](Model& m) {
         attention(m).value.table = Table{"t", -3, std::vector<int32_t>(7)};
       }},
      {"layers.0.query.weights", "the value 2 at [0, 1] of tensor layers.0.query.weight is not ternary (-1, 0 or 1)",
       [](Model& m) { attention(m).query.weights.data[1] = 2; }},
      {"layers.0.query.weights", "tensor layers.0.query.weight holds 63 values",
       [](Model& m) { attention(m).query.weights.data.pop_back(); }},
      {"layers.0.query.weights", "has 7 outputs (rows) where 8 are needed", [](Model& m) { attention(m).query.weights.outputs = 7; }},
      {"layers.0.position", "7 position biases for 2 heads and a window of 4", [](Model& m) { attention(m).position.pop_back(); }},
      {"layers.0.score.range", "attention weights below 0", [](Model& m) { attention(m).score.lo = -15; }},
      {"layers.0.score.bias", "scores do not have a separate bias", [](Model& m) { attention(m).score.bias = {1}; }},
      {"layers.0.mix", "is missing", [](Model& m) { attention(m).mix = std::monostate{}; }},
      {"layers.0.output", "an activation is not allowed where exact sums are added",
       [](Model& m) { attention(m).output.activation = Sign{}; }},
      {"layers.1.down.weights", "has 12 inputs (columns) where the operand has 11",
       [](Model& m) {
         feed_forward(m).up.weights.outputs = 11, feed_forward(m).up.weights.data.resize(88),
         requantise(feed_forward(m).up.activation).bias.resize(11);
       }},
      {"layers.1.up.table", "the table covers 0 .. 14 but its operand is requantised to 0 .. 15",
       [](Model& m) { feed_forward(m).up.table->values.pop_back(); }},
      {"layers.1.up.table", "entry 3 is 70000", [](Model& m) { feed_forward(m).up.table->values[3] = 70000; }},
      {"layers.1.up.table", "a table needs a requantisation before it", [](Model& m) { feed_forward(m).up.activation = Sign{}; }},
      {"layers.2.weights", "where the operand has 8 values", [](Model& m) { dense(m).linear.weights.inputs = 4; }},
      {"head.weights", "where 8 are needed", [](Model& m) { m.head.weights.outputs = 7; }},
      {"head.bias", "1 biases for 8 channels", [](Model& m) { m.head.bias = {1}; }},
      {"sampling.logit_scale", "not a number", [](Model& m) { m.logit_scale = std::numeric_limits<double>::quiet_NaN(); }},
      {"sampling.tables.0.7", "has 4095 entries", [](Model& m) { m.sampling[0].weights.pop_back(); }},
      {"sampling.tables.0.7", "entry 0 of the sampling table is 0", [](Model& m) { m.sampling[0].weights[0] = 0; }},
  };
  for (const Corruption& c : corruptions) {
    Model m = sample();
    c.spoil(m);
    const auto p = find_problem(m);
    ASSERT_TRUE(p.has_value()) << c.where << ": " << c.problem;
    EXPECT_EQ(p->where, c.where);
    EXPECT_NE(p->problem.find(c.problem), std::string::npos) << p->problem;
    EXPECT_FALSE(p->cure.empty());
  }
}

TEST(Verify, RefusesSumsBeyond32Bits) {
  Model m = sample();
  attention(m).position[0] = INT32_MAX;
  const auto p = find_problem(m);
  ASSERT_TRUE(p.has_value());
  EXPECT_EQ(p->where, "layers.0.score");
  EXPECT_NE(p->problem.find("beyond 32 bits"), std::string::npos);
}

TEST(Verify, ThrowsWithPathProblemAndCure) {
  Model m = sample();
  attention(m).heads = 3;
  EXPECT_EQ(test::error_of([&] { verify(m); }), "tiny: layers.0.heads: 3 heads do not divide the width 8; choose a divisor of 8");
}

TEST(RequantiseRange, SymmetricOrOneSidedPowers) {
  for (const auto& [lo, hi] :
       std::vector<std::pair<int, int>>{{-1, 1}, {-7, 7}, {-127, 127}, {-2047, 2047}, {-32767, 32767}, {0, 1}, {0, 15}, {0, 65535}}) {
    EXPECT_TRUE(is_requantise_range(lo, hi)) << lo << " " << hi;
  }
  for (const auto& [lo, hi] :
       std::vector<std::pair<int, int>>{{0, 0}, {-8, 7}, {-6, 6}, {0, 14}, {1, 3}, {3, -3}, {-65535, 65535}, {0, 131071}, {7, -7}}) {
    EXPECT_FALSE(is_requantise_range(lo, hi)) << lo << " " << hi;
  }
}

TEST(Ranges, Bits) {
  EXPECT_EQ(signed_bits({0, 0}), 1);
  EXPECT_EQ(signed_bits({-1, 0}), 1);
  EXPECT_EQ(signed_bits({-8, 7}), 4);
  EXPECT_EQ(signed_bits({-8, 8}), 5);
  EXPECT_EQ(signed_bits({-9, 0}), 5);
  EXPECT_EQ(unsigned_bits({0, 0}), 1);
  EXPECT_EQ(unsigned_bits({0, 15}), 4);
  EXPECT_EQ(unsigned_bits({3, 16}), 5);
}

TEST(Ranges, Arithmetic) {
  EXPECT_EQ((Range{-2, 3} + Range{1, 1}), (Range{-1, 4}));
  EXPECT_EQ((Range{-2, 3} * Range{-5, 4}), (Range{-15, 12}));
  EXPECT_EQ(hull({-2, 3}, {5, 6}), (Range{-2, 6}));
  EXPECT_EQ(repeated({-2, 3}, 4), (Range{-8, 12}));
  EXPECT_TRUE((Range{-2, 3}.contains(Range{-2, 3})));
  EXPECT_FALSE((Range{-2, 3}.contains(Range{-3, 0})));
}

TEST(Ranges, SumsAreReachedAndNotExceeded) {
  const Matrix w{"w", WeightValues::kTernary, 2, 3, {1, -1, 1, 0, 0, -1}};
  const Range operand{-1, 2};
  EXPECT_EQ(sums(w, 0, operand), (Range{-4, 5}));
  EXPECT_EQ(sums(w, 1, operand), (Range{-2, 1}));
  EXPECT_EQ(sums(w, operand), (Range{-4, 5}));
  EXPECT_EQ(partial_sums(w, 0, 1, 3, operand), (Range{-3, 3}));
  for (int row = 0; row < 2; ++row) {  // exhaustive over operands
    Range seen{INT64_MAX, INT64_MIN};
    for (int code = 0; code < 64; ++code) {
      int64_t u = 0;
      for (int j = 0, c = code; j < 3; ++j, c /= 4) u += w.at(row, j) * (c % 4 - 1);
      seen = hull(seen, {u, u});
    }
    EXPECT_EQ(seen, sums(w, row, operand));
  }
}

TEST(Ranges, StreamGrowsByWhatIsAdded) {
  const Model m = sample();
  const std::vector<Range> streams = stream_ranges(m);
  ASSERT_EQ(streams.size(), 4u);
  EXPECT_EQ(streams[0], (Range{-31, 31}));
  EXPECT_EQ(streams[1], streams[0] + sums(std::get<Attention>(m.layers[0]).output.weights, {-7, 7}));
  const std::map<std::string, Range> all = value_ranges(m);
  EXPECT_EQ(all.at("layers.0.stream"), streams[1]);
  EXPECT_EQ(all.at("layers.0.attention"), (Range{0, 15}));
  EXPECT_EQ(all.at("layers.1.hidden"), (Range{0, 14}));  // (15 * 15) >> 4
  EXPECT_TRUE(all.contains("layers.0.query.sums"));
  EXPECT_TRUE(all.contains("layers.2.sums"));
}

TEST(Ranges, EarlierTokensMayBeAbsent) {
  TinyParams p;
  p.embedding_tables = 3;
  Model m = tiny_model(p);
  m.embedding.lo = 5;
  m.embedding.hi = 6;
  EXPECT_EQ(stream_ranges(m)[0], (Range{5, 18}));
}

}  // namespace
}  // namespace bitgrid
