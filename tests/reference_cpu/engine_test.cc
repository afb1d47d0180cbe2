#include "reference_cpu/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engines/bits_per_character.h"
#include "engines/sampling.h"
#include "engines/text.h"
#include "frontend/load_model.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/model_ranges.h"
#include "reference_cpu/golden.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::cpu {
namespace {

using Block = TinyParams::Block;

/// Shapes of models that between them use every feature.
std::vector<TinyParams> variants() {
  std::vector<TinyParams> all(8);
  all[1].layers = {Block::kAttention, Block::kFeedForward, Block::kAttention, Block::kFeedForward};
  all[2].multiplier = true;
  all[2].table = true;
  all[3].layers = {Block::kLinear, Block::kAttention, Block::kLinearSign, Block::kFeedForward, Block::kLinearExact};
  all[3].linear_outputs = 6;
  all[4].values = WeightValues::kBinary;
  all[4].input_bits = all[4].query_bits = all[4].key_bits = all[4].value_bits = all[4].hidden_bits = 1;
  all[4].embedding_tables = 3;
  all[5].values = WeightValues::kInt2;
  all[5].position = false;
  all[5].bias = false;
  all[6].width = 70;
  all[6].heads = 7;
  all[6].window = 5;
  all[6].d_ff = 130;
  all[7].window = 1;
  all[7].heads = 1;
  for (size_t i = 0; i < all.size(); ++i) all[i].seed = static_cast<uint32_t>(i + 1);
  return all;
}

std::vector<int> some_tokens(const Model& m, size_t count) {
  std::vector<int> tokens;
  uint32_t state = 7;
  for (size_t i = 0; i < count; ++i) {
    state = golden::next_random(state);
    tokens.push_back(static_cast<int>((state >> 8) % m.vocabulary.size()));
  }
  return tokens;
}

TEST(CpuEngine, TinyModelsVary) {
  for (const TinyParams& p : variants()) {
    const Model m = tiny_model(p);
    const CpuEngine engine(m);
    CpuState state = engine.start();
    std::map<std::string, std::map<int64_t, size_t>> seen;  // value -> how often
    for (const int t : some_tokens(m, 40)) {
      Trace trace;
      engine.step(state, t, &trace);
      for (const auto& [name, values] : trace) {
        for (const int64_t v : values) ++seen[name][v];
      }
    }
    for (const auto& [name, counts] : seen) {
      size_t total = 0, most = 0;
      for (const auto& [value, n] : counts) {
        total += n;
        most = std::max(most, n);
      }
      EXPECT_LT(static_cast<double>(most), 0.8 * static_cast<double>(total)) << name << " seed " << p.seed;
    }
  }
}

TEST(CpuEngine, PackedKernelsEqualGolden) {
  for (const TinyParams& p : variants()) {
    const Model m = tiny_model(p);
    const CpuEngine golden(m, {CpuParams::Kernels::kGolden}), packed(m, {CpuParams::Kernels::kPacked});
    CpuState a = golden.start(), b = packed.start();
    for (const int t : some_tokens(m, 12)) {
      Trace x, y;
      golden.step(a, t, &x);
      packed.step(b, t, &y);
      EXPECT_EQ(x, y) << "seed " << p.seed;
    }
  }
}

TEST(CpuEngine, ValuesStayInTheirRanges) {
  for (const TinyParams& p : variants()) {
    const Model m = tiny_model(p);
    const std::map<std::string, Range> ranges = value_ranges(m);
    const CpuEngine engine(m);
    CpuState state = engine.start();
    for (const int t : some_tokens(m, 20)) {
      Trace trace;
      engine.step(state, t, &trace);
      for (const auto& [name, values] : trace) {
        ASSERT_TRUE(ranges.contains(name)) << name;
        for (const int64_t v : values) EXPECT_TRUE(ranges.at(name).contains(v)) << name << " = " << v;
      }
    }
  }
}

/// An attention layer written again, from whole sequences instead of a ring: sums over t - window < j <= t of the layer's own keys and
/// values.
std::vector<std::vector<int64_t>> attention_of_sequence(const Attention& a, const std::vector<std::vector<int64_t>>& xs) {
  const auto through = [](const Linear& l, const std::vector<int64_t>& in) {
    return golden::activation(golden::linear(l.weights, in), l.activation);
  };
  std::vector<std::vector<int64_t>> q, k, v, out;
  for (const auto& x : xs) {
    const auto in = golden::activation(x, a.input);
    q.push_back(through(a.query, in));
    k.push_back(through(a.key, in));
    v.push_back(through(a.value, in));
  }
  for (size_t t = 0; t < xs.size(); ++t) {
    std::vector<int64_t> sums(xs[t].size(), 0);
    for (size_t c = 0; c < sums.size(); ++c) {
      const size_t size = sums.size() / static_cast<size_t>(a.heads), h = c / size;
      for (size_t j = 0; j <= t; ++j) {
        if (t - j >= static_cast<size_t>(a.window)) continue;
        int64_t score = a.position.empty() ? 0 : a.position[h * static_cast<size_t>(a.window) + t - j];
        for (size_t i = h * size; i < (h + 1) * size; ++i) score += q[t][i] * k[j][i];
        const int64_t m = a.score.multiplier.empty() ? 1 : a.score.multiplier[0];
        sums[c] += golden::requantise(score, 0, m, a.score.shift, a.score.lo, a.score.hi) * v[j][c];
      }
    }
    const auto add = golden::linear(a.output.weights, golden::activation(sums, a.mix));
    out.push_back(xs[t]);
    for (size_t c = 0; c < sums.size(); ++c) out[t][c] += add[c];
  }
  return out;
}

TEST(CpuEngine, RingEqualsWholeSequence) {
  for (const TinyParams& p : variants()) {
    const Model m = tiny_model(p);
    const CpuEngine engine(m);
    CpuState state = engine.start();
    std::vector<Trace> traces;
    for (const int t : some_tokens(m, 15)) engine.step(state, t, &traces.emplace_back());
    for (size_t n = 0; n < m.layers.size(); ++n) {
      const auto* a = std::get_if<Attention>(&m.layers[n]);
      if (a == nullptr) continue;
      std::vector<std::vector<int64_t>> before, after;
      for (Trace& t : traces) {
        before.push_back(n == 0 ? t["embedding"] : t["layers." + std::to_string(n - 1) + ".stream"]);
        after.push_back(t["layers." + std::to_string(n) + ".stream"]);
      }
      EXPECT_EQ(attention_of_sequence(*a, before), after) << "seed " << p.seed << " layer " << n;
    }
  }
}

TEST(CpuEngine, AttentionWeightsAreIndexedByRingSlotAndZeroBeforeTheStart) {
  TinyParams p;
  p.window = 4;
  p.heads = 1;
  p.position = false;
  Model m = tiny_model(p);
  auto& a = std::get<Attention>(m.layers[0]);
  a.position = {1000, 0, 0, 0};  // distance 0 saturates the weight
  a.score.multiplier.clear();
  const CpuEngine engine(m);
  CpuState state = engine.start();
  for (int t = 0; t < 6; ++t) {
    Trace trace;
    engine.step(state, t % 4, &trace);
    const auto& e = trace["layers.0.attention"];
    ASSERT_EQ(e.size(), 4u);
    EXPECT_EQ(e[static_cast<size_t>(t % 4)], a.score.hi);
    for (int slot = t + 1; slot < 4; ++slot) EXPECT_EQ(e[static_cast<size_t>(slot)], 0);
  }
}

TEST(CpuEngine, CopiedStateBranches) {
  const Model m = tiny_model();
  const CpuEngine engine(m);
  CpuState state = engine.start();
  for (const int t : {1, 2, 3}) engine.step(state, t);
  CpuState branch = state;
  engine.step(branch, 4);
  engine.step(branch, 5);
  EXPECT_EQ(engine.step(state, 2), [&] {
    CpuState fresh = engine.start();
    for (const int t : {1, 2, 3}) engine.step(fresh, t);
    return engine.step(fresh, 2);
  }());
}

TEST(CpuEngine, TraceNames) {
  TinyParams p;
  p.layers = {Block::kAttention, Block::kFeedForward, Block::kLinearSign};
  const Model m = tiny_model(p);
  const CpuEngine engine(m);
  CpuState state = engine.start();
  Trace trace;
  const auto logits = engine.step(state, 0, &trace);
  std::vector<std::string> names;
  for (const auto& [name, values] : trace) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"embedding", "head.input", "layers.0.attention", "layers.0.input", "layers.0.key",
                                             "layers.0.mix", "layers.0.query", "layers.0.stream", "layers.0.value", "layers.1.hidden",
                                             "layers.1.input", "layers.1.stream", "layers.2.input", "layers.2.stream", "logits"}));
  EXPECT_EQ(trace["logits"], logits);
}

TEST(CpuEngine, TokenOutsideTheVocabulary) {
  const Model m = tiny_model();
  const CpuEngine engine(m);
  CpuState state = engine.start();
  EXPECT_EQ(test::error_of([&] { engine.step(state, 8); }), "tiny: there is no token 8; use 0 .. 7");
}

TEST(BitsPerCharacter, UniformModelNeedsTheLogarithmOfItsVocabulary) {
  Model m = tiny_model();
  m.logit_scale = 1e-12;
  EXPECT_NEAR(engines::bits_per_character(m, "abc def\nabc"), 3.0, 1e-6);
}

TEST(BitsPerCharacter, KnowsWhatItCannotDo) {
  Model m = tiny_model();
  EXPECT_THROW(engines::bits_per_character(m, "a"), Error);
  m.logit_scale = 0;
  EXPECT_THROW(engines::bits_per_character(m, "abc"), Error);
}

/// The shipped models against the values that their exporter computed with other code.
class ShippedModel : public testing::TestWithParam<std::string> {};

TEST_P(ShippedModel, NeedsTheReportedBitsPerCharacterOnItsHeldOutExcerpt) {
  const std::string folder = std::string(BITGRID_SOURCE_DIR) + "/examples/" + GetParam() + "/";
  for (const char* file : {"model.yaml", "heldout.txt", "heldout.json"}) {
    if (!std::filesystem::exists(folder + file)) GTEST_SKIP() << file << " of examples/" << GetParam() << " is not there";
  }
  const double expected = nlohmann::json::parse(read_file(folder + "heldout.json")).at("bits_per_character").get<double>();
  const Model m = frontend::load_model(folder + "model.yaml");
  EXPECT_NEAR(engines::bits_per_character(m, read_file(folder + "heldout.txt")), expected, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Kjv, ShippedModel, testing::Values("kjv-ternary", "kjv-binary"),
                         [](const auto& shown) { return shown.param.substr(4); });

}  // namespace
}  // namespace bitgrid::cpu
