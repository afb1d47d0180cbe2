#include "frontend/scaled_model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "frontend/checkpoint/convert.h"
#include "frontend/checkpoint/float_model.h"
#include "frontend/safetensors_header.h"
#include "ir/file.h"
#include "reference_cpu/scaled/float_engine.h"
#include "reference_cpu/scaled/scaled_engine.h"
#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/tiny_checkpoint.h"

namespace bitgrid::frontend {
namespace {

using ::testing::HasSubstr;

class ScaledModelFiles : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.file(name); }
  ScaledModel tiny(const test::TinyCheckpointParams& params = {}) { return convert(test::tiny_checkpoint(params)); }
  /// Writes a tiny model, replaces a text in model.yaml, and reads it.
  std::string problem(const std::string& old_text, const std::string& new_text) {
    write_scaled_model(path("m"), tiny(), {});
    std::string yaml = read_file(path("m/model.yaml"));
    const size_t at = yaml.find(old_text);
    if (at == std::string::npos) return "the text is not there";
    write_file(path("m/model.yaml"), yaml.replace(at, old_text.size(), new_text));
    return test::error_of([&] { load_scaled_model(path("m/model.yaml")); });
  }
  test::ScratchFolder folder_;
};

std::vector<int64_t> logits_of(const ScaledModel& model) {
  const cpu::ScaledEngine engine(model);
  cpu::ScaledState state = engine.start();
  std::vector<int64_t> all;
  for (const int token : {3, 1, 4, 1, 5}) {
    const cpu::ScaledLogits z = engine.step(state, token);
    all.insert(all.end(), z.values.begin(), z.values.end());
    all.push_back(z.unit.m);
    all.push_back(z.unit.e);
  }
  return all;
}

/// Of the logits, against the float engine on the same real numbers.
double largest_difference_to_floats(const ScaledModel& model) {
  const FloatModel floats = float_model(model);
  const cpu::FloatEngine yardstick(floats);
  const cpu::ScaledEngine engine(model);
  cpu::FloatState real = yardstick.start();
  cpu::ScaledState state = engine.start();
  double largest = 0.0;
  for (const int token : {3, 1, 4, 1, 5}) {
    const std::vector<double> y = yardstick.step(real, token);
    const cpu::ScaledLogits z = engine.step(state, token);
    for (size_t i = 0; i < y.size(); ++i)
      largest = std::max(largest, std::abs(y[i] - std::ldexp(static_cast<double>(z.values[i] * z.unit.m), static_cast<int>(z.unit.e))));
  }
  return largest;
}

TEST_F(ScaledModelFiles, RoundTripOfEveryGraph) {
  for (const auto& params :
       {test::TinyCheckpointParams{}, test::TinyCheckpointParams{"qwen3", StoredValues::kBinary, ScaleSharing::kGroup, 32, true, 2},
        test::TinyCheckpointParams{"llama", StoredValues::kInt2, ScaleSharing::kRow, 32, false, 3}}) {
    const ScaledModel model = tiny(params);
    write_scaled_model(path("m"), model, {});
    EXPECT_TRUE(is_scaled_model_file(path("m/model.yaml")));
    EXPECT_EQ(logits_of(load_scaled_model(path("m/model.yaml")).model), logits_of(model)) << params.graph;
  }
}

TEST_F(ScaledModelFiles, RoundTripOfZerosLowRankAndAdapters) {
  ScaledModel model = tiny({"llama", StoredValues::kTernary, ScaleSharing::kGroup, 32, true, 4});
  auto& f = std::get<GatedFeedForward>(model.layers[1]);
  f.up.zeros.assign(f.up.scales.size(), -7);
  auto& a = std::get<SoftmaxAttention>(model.layers[0]);
  const auto bytes = [](size_t rows, size_t columns, WeightStorage storage) {
    auto p = std::make_shared<PackedWeights>(rows, columns, storage);
    for (size_t r = 0; r < rows; ++r) {
      std::vector<int8_t> row(columns);
      for (size_t c = 0; c < columns; ++c) row[c] = (r * 7 + c * 3) % 5 < 2 ? int8_t{1} : int8_t{-1};
      p->pack(r, row);
    }
    return p;
  };
  a.query.group = 0;
  a.query.scales.assign(a.query.outputs(), 900);
  a.query.low_rank = bytes(16, 64, WeightStorage::kOneBit);
  a.query.weights = bytes(64, 16, WeightStorage::kOneBit);
  a.output_gain = FixedVector{std::vector<int32_t>(64, 200), 8};
  a.value.adapter = Adapter{bytes(2, 64, WeightStorage::kByte),
                            bytes(32, 2, WeightStorage::kByte),
                            {{3000, 2000}, 18},
                            {std::vector<int32_t>(32, 2500), 17},
                            constant(2.0)};
  write_scaled_model(path("m"), model, {});
  EXPECT_EQ(logits_of(load_scaled_model(path("m/model.yaml")).model), logits_of(model));
  EXPECT_LT(largest_difference_to_floats(model), 0.15);
}

TEST_F(ScaledModelFiles, TheTokenizerComesAlong) {
  TokenizerSource source;
  source.kind = TokenizerSource::Kind::kGguf;
  source.model = "gpt2";
  source.pre = "gpt-2";
  source.tokens = {"a", "b", "ab"};
  source.merges = {"a b"};
  source.eos = 2;
  write_scaled_model(path("m"), tiny(), source);
  const TokenizerSource back = load_scaled_model(path("m/model.yaml")).tokenizer;
  EXPECT_EQ(back.tokens, source.tokens);
  EXPECT_EQ(back.merges, source.merges);
  EXPECT_EQ(back.eos, source.eos);
}

TEST_F(ScaledModelFiles, SaysWhatIsWrong) {
  EXPECT_THAT(problem("heads: 2", "heads: 3"), HasSubstr("self_attn.q_proj: its outputs are 64, but the model needs 96"));
  EXPECT_THAT(problem("function: relu2", "function: gelu"), HasSubstr("`gelu` is unknown; use silu or relu2"));
  EXPECT_THAT(problem("type: softmax_attention", "type: attention"), HasSubstr("the type `attention` is unknown; use softmax_attention"));
  EXPECT_THAT(problem("weights: model.layers.0.self_attn.q_proj.weight", "weights: model.layers.0.self_attn.q_proj.wait"),
              HasSubstr("the tensor model.layers.0.self_attn.q_proj.wait is missing in the weights file; did you mean"));
  EXPECT_THAT(problem("values: int2", "values: binary"), HasSubstr("which is not binary; correct the value or `values`"));
  EXPECT_THAT(problem("root_width: [", "root_width: [1, "), HasSubstr("write [MANTISSA, EXPONENT]"));
  EXPECT_THAT(problem("code_bits: 10", "code_bits: 11"), HasSubstr("codes have 11 bits; use 2 to 10 bits"));
  EXPECT_THAT(problem("grouped: false", "grouped: true"), HasSubstr("head: its codes have groups, but the model's have none"));
}

TEST_F(ScaledModelFiles, SaysWhichNumbersTheEngineHasNoRoomFor) {
  const auto problem_of = [&](const auto& change) {
    ScaledModel model = tiny();
    change(model);
    const auto p = find_problem(model);
    return p ? p->where + ": " + p->problem : "none";
  };
  EXPECT_EQ(problem_of([](ScaledModel&) {}), "none");
  EXPECT_EQ(problem_of([](ScaledModel& m) { m.head.norm.gain.values[3] = 32768; }),
            "model.norm: one of its gains is 32768, which is not in -32767 .. 32767");
  EXPECT_EQ(problem_of([](ScaledModel& m) { m.tables.exponential[0] = -1; }),
            "tables: one of the values of the exponential is -1, which is not in 0 .. 4096");
  EXPECT_EQ(problem_of([](ScaledModel& m) { m.tables.mean_step[2] = {}; }), "tables: a mean step is 0");
}

TEST_F(ScaledModelFiles, NamesMayHoldAnyCharacter) {
  ScaledModel model = tiny();
  std::get<SoftmaxAttention>(model.layers[0]).query.name = "q, \"{: #";
  write_scaled_model(path("m"), model, {});
  EXPECT_EQ(std::get<SoftmaxAttention>(load_scaled_model(path("m/model.yaml")).model.layers[0]).query.name, "q, \"{: #");
}

TEST_F(ScaledModelFiles, ASmallFileDoesNotFillTheMemory) {
  write_scaled_model(path("m"), tiny(), {});
  std::string yaml = read_file(path("m/model.yaml"));
  const size_t begin = yaml.find("  - type:"), end = yaml.find("head:\n");
  const std::string layers = yaml.substr(begin, end - begin);
  for (int i = 0; i < 8; ++i) yaml.insert(begin, layers);
  write_file(path("m/model.yaml"), yaml);
  EXPECT_THAT(test::error_of([&] { load_scaled_model(path("m/model.yaml")); }),
              HasSubstr("and the tensors named before it take more than twice the size of the weights file; name each tensor once"));
}

TEST_F(ScaledModelFiles, MatricesHaveRowsAndColumns) {
  write_scaled_model(path("m"), tiny(), {});
  std::string weights = read_file(path("m/weights.safetensors")), yaml = read_file(path("m/model.yaml"));
  const std::string entry = R"("W":{"dtype":"I8","shape":[1152921504606846976,0],"data_offsets":[0,0]},)";
  uint64_t length = little_endian(std::string_view(weights).substr(0, 8)) + entry.size();
  for (size_t i = 0; i < 8; ++i) weights[i] = static_cast<char>(length >> (8 * i));
  weights.insert(9, entry);
  const std::string old_name = "weights: model.layers.0.self_attn.q_proj.weight";
  yaml.replace(yaml.find(old_name), old_name.size(), "weights: W");
  EXPECT_THAT(test::error_of([&] { parse_scaled_model(yaml, "model.yaml", weights, "w"); }),
              HasSubstr("the tensor W has the shape [1152921504606846976, 0]; give it rows and columns"));
}

}  // namespace
}  // namespace bitgrid::frontend
