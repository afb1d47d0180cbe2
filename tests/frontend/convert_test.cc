// From checkpoints to integers: what is refused, what rotary scaling does, and that the real numbers survive.
#include "frontend/checkpoint/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "frontend/checkpoint/float_model.h"
#include "reference_cpu/scaled/float_engine.h"
#include "reference_cpu/scaled/scaled_engine.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_checkpoint.h"

namespace bitgrid::frontend {
namespace {

using test::tiny_checkpoint;
using test::TinyCheckpointParams;
using ::testing::HasSubstr;

std::string problem(const std::shared_ptr<Checkpoint>& checkpoint) {
  return test::error_of([&] { convert(checkpoint); });
}

TEST(Convert, NamesWhatIsMissingOrWrong) {
  auto missing = tiny_checkpoint({});
  missing->tensors.pop_back();
  EXPECT_THAT(problem(missing), HasSubstr("tiny: the tensor model.layers.1.mlp.down_proj.weight is missing; take a complete file"));
  auto other = tiny_checkpoint({});
  other->tensors[2].canonical = "model.layers.0.self_attn.q_proj.bias";
  EXPECT_THAT(problem(other), HasSubstr("is missing"));
  auto shape = tiny_checkpoint({});
  shape->graph.hidden = 128;
  EXPECT_THAT(problem(shape), HasSubstr("mlp.gate_proj.weight: it has 96 x 64 numbers, but the graph needs 128 x 64; take an intact file"));
  auto heads = tiny_checkpoint({});
  heads->graph.heads = 3, heads->graph.kv_heads = 2;
  EXPECT_THAT(problem(heads), HasSubstr("3 heads cannot share 2 heads of keys and values"));
}

TEST(Convert, RefusesTensorsThatTheGraphWouldLeaveOut) {
  auto checkpoint = tiny_checkpoint({});
  CheckpointTensor extra = checkpoint->tensors[0];
  extra.canonical = "model.layers.0.self_attn.q_proj.bias";
  extra.where = "tiny: tensor q.bias";
  checkpoint->tensors.push_back(extra);
  EXPECT_THAT(problem(checkpoint),
              HasSubstr("tiny: tensor q.bias: the graph of bitnet does not read it, and would compute something else"));
}

TEST(Convert, RefusesWeightsOfMoreThanTwoBits) {
  auto checkpoint = tiny_checkpoint({});
  for (CheckpointTensor& t : checkpoint->tensors)
    if (t.canonical.ends_with("0.mlp.up_proj.weight")) t.values = StoredValues::kFloat, t.stored = "Q8_0";
  EXPECT_THAT(problem(checkpoint), HasSubstr("its type is Q8_0, which has more than two bits per weight; take a file of 1-bit or ternary"));
}

TEST(Convert, RefusesMatricesOfThreeDimensions) {
  auto checkpoint = tiny_checkpoint({});
  for (CheckpointTensor& t : checkpoint->tensors)
    if (t.canonical.ends_with("0.mlp.up_proj.weight")) t.shape = {96, 2, 64};
  EXPECT_THAT(problem(checkpoint), HasSubstr("it has 3 dimensions, but the graph needs 96 x 64 numbers"));
}

TEST(Convert, RefusesNumbersThatNoTableCanBeMadeOf) {
  const auto rope = [](const auto& change) {
    auto checkpoint = tiny_checkpoint({});
    checkpoint->graph.rope_scaling = RopeScaling{"yarn", 4.0, 2048.0};
    change(*checkpoint->graph.rope_scaling);
    return problem(checkpoint);
  };
  EXPECT_EQ(rope([](RopeScaling&) {}), "no error");
  constexpr char kProblem[] = "the numbers of the rotary scaling 'yarn' make no sense";
  EXPECT_THAT(rope([](RopeScaling& s) { s.factor = INFINITY; }), HasSubstr(kProblem));
  EXPECT_THAT(rope([](RopeScaling& s) { s.original_context = NAN; }), HasSubstr(kProblem));
  EXPECT_THAT(rope([](RopeScaling& s) { s.beta_slow = 1e-320; }), HasSubstr(kProblem));
  EXPECT_THAT(rope([](RopeScaling& s) { s.attention_factor = 1e200; }), HasSubstr(kProblem));
  EXPECT_THAT(rope([](RopeScaling& s) { s = {"llama3", 4.0, 2048.0, 32.0, 1.0, 0.0, 4.0, 4.0}; }), HasSubstr("'llama3' make no sense"));
}

TEST(Convert, RefusesScalesThatAreNotFinite) {
  for (const double scale : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(), -1.0}) {
    auto checkpoint = tiny_checkpoint({});
    for (CheckpointTensor& t : checkpoint->tensors)
      if (t.sharing == ScaleSharing::kTensor) t.tensor_scale = scale;
    EXPECT_THAT(problem(checkpoint), HasSubstr("q_proj.weight: its scale is negative or not finite; take an intact file"));
  }
}

TEST(Convert, RefusesAContextBeyondTheModels) {
  EXPECT_THAT(test::error_of([] {
                convert(tiny_checkpoint({}), {65, 1});
              }),
              HasSubstr("--context: tiny has a context of 64 positions; give that or less"));
}

struct Form {
  const char* name;
  TinyCheckpointParams params;
};
void PrintTo(const Form& f, std::ostream* out) {
  *out << f.name;
}

class ConvertForms : public ::testing::TestWithParam<Form> {};

/// KL of the integers' probabilities from the float model's, over 24 tokens.
TEST_P(ConvertForms, IntegersPredictWhatTheFloatsDo) {
  const auto checkpoint = tiny_checkpoint(GetParam().params);
  const ScaledModel integers = convert(checkpoint);
  const FloatModel floats = float_model(checkpoint);
  const cpu::ScaledEngine engine(integers);
  const cpu::FloatEngine yardstick(floats);
  cpu::ScaledState state = engine.start();
  cpu::FloatState real = yardstick.start();
  double kl = 0.0;
  for (int t = 0; t < 24; ++t) {
    const int token = (t * 17 + 5) % 40;
    const cpu::ScaledLogits z = engine.step(state, token);
    const std::vector<double> y = yardstick.step(real, token);
    std::vector<double> x;
    for (const int64_t v : z.values) x.push_back(std::ldexp(static_cast<double>(v * z.unit.m), static_cast<int>(z.unit.e)));
    const auto log_sum = [](const std::vector<double>& v) {
      double sum = 0.0;
      for (const double e : v) sum += std::exp(e);
      return std::log(sum);
    };
    const double a = log_sum(y), b = log_sum(x);
    for (size_t i = 0; i < x.size(); ++i) kl += std::exp(y[i] - a) * ((y[i] - a) - (x[i] - b));
  }
  EXPECT_LT(kl / 24, 2e-3);
}

INSTANTIATE_TEST_SUITE_P(
    All, ConvertForms,
    ::testing::Values(Form{"bitnet", {}},
                      Form{"bitnet with an own head", {"bitnet", StoredValues::kTernary, ScaleSharing::kTensor, 32, false, 2}},
                      Form{"bitnet with a scale a row", {"bitnet", StoredValues::kTernary, ScaleSharing::kRow, 32, true, 3}},
                      Form{"bitnet in groups", {"bitnet", StoredValues::kTernary, ScaleSharing::kGroup, 32, true, 4}},
                      Form{"qwen3 binary in groups", {"qwen3", StoredValues::kBinary, ScaleSharing::kGroup, 32, true, 5}},
                      Form{"qwen3 of two bits in groups", {"qwen3", StoredValues::kInt2, ScaleSharing::kGroup, 32, false, 6}},
                      Form{"qwen3 with one scale", {"qwen3", StoredValues::kTernary, ScaleSharing::kTensor, 32, true, 7}},
                      Form{"llama", {"llama", StoredValues::kTernary, ScaleSharing::kTensor, 32, true, 8}},
                      Form{"llama in groups", {"llama", StoredValues::kBinary, ScaleSharing::kGroup, 16, true, 9}}));

GraphConfig graph_with(const RopeScaling& scaling) {
  GraphConfig g;
  g.head_width = 64;
  g.rope_theta = 10000.0;
  g.rope_scaling = scaling;
  return g;
}

TEST(RotaryScaling, LinearStretchesAll) {
  EXPECT_DOUBLE_EQ(rotary_frequencies(graph_with({"linear", 4.0}))[0], 0.25);
}

TEST(RotaryScaling, YarnStretchesSlowPairsOnly) {
  const GraphConfig g = graph_with({"yarn", 4.0, 2048.0});
  const std::vector<double> f = rotary_frequencies(g);
  EXPECT_DOUBLE_EQ(f[0], 1.0);
  EXPECT_NEAR(f[31] / std::pow(10000.0, -62.0 / 64.0), 0.25, 1e-12);
  EXPECT_NEAR(rotary_tables(g, 1).attention_factor, 0.1 * std::log(4.0) + 1.0, 1e-12);
}

TEST(RotaryScaling, Llama3KeepsShortWaves) {
  RopeScaling s = {"llama3", 8.0, 8192.0};
  s.low_frequency_factor = 1.0, s.high_frequency_factor = 4.0;
  GraphConfig g = graph_with(s);
  g.rope_theta = 500000.0;
  const std::vector<double> f = rotary_frequencies(g);
  EXPECT_DOUBLE_EQ(f[0], 1.0);
  EXPECT_NEAR(f[31] / std::pow(500000.0, -62.0 / 64.0), 0.125, 1e-12);
}

TEST(RotaryScaling, OthersAreRefused) {
  EXPECT_THAT(test::error_of([] { rotary_frequencies(graph_with({"longrope", 4.0})); }), HasSubstr("the scaling 'longrope' is unknown"));
}

}  // namespace
}  // namespace bitgrid::frontend
