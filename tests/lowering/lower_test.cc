// Models of every shape that a file can state: Dags against the CPU engine value by value, mapped kernels against their Dags.
#include "lowering/numerics/lower.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "check/verify_kernel.h"
#include "ir/dag.h"
#include "ir/error.h"
#include "ir/host.h"
#include "lowering/mapping/map.h"
#include "reference_cpu/engine.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::mapping {
namespace {

using Block = TinyParams::Block;

struct TinyShape {
  std::string name;
  TinyParams params;
  friend void PrintTo(const TinyShape& s, std::ostream* out) { *out << s.name; }
};

std::vector<TinyShape> shapes() {
  std::vector<TinyShape> all;
  const auto add = [&](const std::string& name, auto change) {
    TinyShape s{name, {}};
    change(s.params);
    all.push_back(s);
  };
  add("ternary", [](TinyParams&) {});
  add("binary_weights", [](TinyParams& p) { p.values = WeightValues::kBinary; });
  add("int2_weights", [](TinyParams& p) { p.values = WeightValues::kInt2; });
  add("two_bit_keys", [](TinyParams& p) { p.key_bits = p.value_bits = 2; });
  add("sign_keys_and_values", [](TinyParams& p) { p.key_bits = p.value_bits = 1; });
  add("sign_inputs", [](TinyParams& p) { p.input_bits = 1; });
  add("sign_hidden", [](TinyParams& p) { p.hidden_bits = 1; });
  add("wide_activations", [](TinyParams& p) { p.input_bits = p.hidden_bits = 8; });
  add("no_position_no_bias", [](TinyParams& p) { p.position = p.bias = false; });
  add("token_shift", [](TinyParams& p) { p.embedding_tables = 3; });
  add("table", [](TinyParams& p) { p.table = true; });
  add("linear", [](TinyParams& p) { p.layers = {Block::kLinear, Block::kLinearSign, Block::kLinearExact, Block::kFeedForward}; });
  add("linear_then_attention", [](TinyParams& p) { p.layers = {Block::kLinear, Block::kAttention, Block::kLinearSign}; });
  add("four_layers", [](TinyParams& p) { p.layers = {Block::kAttention, Block::kFeedForward, Block::kAttention, Block::kFeedForward}; });
  add("sign_query", [](TinyParams& p) { p.query_bits = 1; });
  add("fully_binary", [](TinyParams& p) {
    p.values = WeightValues::kBinary;
    p.input_bits = p.query_bits = p.key_bits = p.value_bits = p.score_bits = p.hidden_bits = 1;
    p.embedding_tables = 2;
    p.layers = {Block::kAttention, Block::kFeedForward, Block::kLinearSign};
  });
  add("multipliers", [](TinyParams& p) { p.multiplier = true; });
  for (const int shift : {-16, -3, -1, 0, 1, 6}) {
    const std::string name = shift < 0 ? fmt::format("left_shift_{}", -shift) : fmt::format("shift_{}", shift);
    add(name, [&](TinyParams& p) {
      p.shift = shift;
      p.layers.push_back(Block::kLinear);
    });
    add(name + "_multipliers", [&](TinyParams& p) {
      p.shift = shift;
      p.multiplier = true;
      p.layers.push_back(Block::kLinear);
    });
  }
  add("left_shift_without_bias", [](TinyParams& p) {
    p.shift = -2;
    p.bias = p.position = false;
    p.key_bits = p.value_bits = 8;
  });
  add("zero_weights", [](TinyParams& p) { p.zero_weights = true; });
  add("zero_weights_wide_values", [](TinyParams& p) {
    p.zero_weights = true;
    p.bias = p.position = false;
    p.input_bits = p.query_bits = p.key_bits = p.value_bits = p.score_bits = p.hidden_bits = 8;
    p.layers.push_back(Block::kLinearExact);
  });
  add("embedding_above_zero", [](TinyParams& p) {
    p.embedding_lo = 3;
    p.embedding_hi = 9;
    p.embedding_tables = 2;
  });
  add("embedding_of_one_value", [](TinyParams& p) { p.embedding_lo = p.embedding_hi = 5; });
  add("embedding_below_zero", [](TinyParams& p) {
    p.embedding_lo = -9;
    p.embedding_hi = -3;
  });
  add("odd_window", [](TinyParams& p) { p.window = 5; });
  return all;
}

class LowerTiny : public testing::TestWithParam<TinyShape> {};

/// Compares every tensor that both sides have.
void expect_equal_values(const Model& model, const Program& program, const std::vector<int>& tokens) {
  HostState host = initial_state(program);
  const HostTrace trace = run_tokens(program, host, tokens, [&](int step, const StepBatch& inputs) {
    return evaluate(program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag, inputs);
  });
  const cpu::CpuEngine engine(model, {cpu::CpuParams::Kernels::kGolden});
  cpu::CpuState state = engine.start();
  size_t compared = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    cpu::Trace golden;
    engine.step(state, tokens[i], &golden);
    for (size_t t = 0; t < program.tensors.size(); ++t) {
      const auto it = golden.find(program.tensors[t].name);
      if (it == golden.end()) continue;
      for (size_t c = 0; c < it->second.size(); ++c, ++compared) {
        const uint64_t code = trace.at(program, static_cast<int>(t), static_cast<int>(i), static_cast<int>(c));
        ASSERT_EQ(decode(program.tensors[t].encoding, c, code), it->second[c]) << it->first << "[" << c << "] at position " << i;
      }
    }
  }
  EXPECT_GT(compared, tokens.size() * 10);
}

std::vector<int> some_tokens(const Model& model, int n) {
  std::vector<int> tokens;
  for (int i = 0; i < n; ++i) tokens.push_back((i * 5 + i * i % 3) % static_cast<int>(model.vocabulary.size()));
  return tokens;
}

TEST_P(LowerTiny, DagsEqualTheCpuEngine) {
  const Model model = tiny_model(GetParam().params);
  expect_equal_values(model, numerics::lower(model), some_tokens(model, 13));
}

TEST_P(LowerTiny, MappedKernelsEqualTheirDags) {
  const Program program = numerics::lower(tiny_model(GetParam().params));
  for (const Optimize optimize : {Optimize::kArea, Optimize::kThroughput}) {
    const auto mapped = map_kernels(program, {1, optimize});
    for (size_t k = 0; k < mapped.size(); ++k) {
      EXPECT_NO_THROW(verify(mapped[k]));
      const auto wrong = check::verify_mapping(program.kernels[k], mapped[k]);
      EXPECT_FALSE(wrong) << mapped[k].name << " invocation " << wrong->invocation << " bit " << wrong->bit;
    }
  }
}

TEST(Map, ThroughputTakesTheParallelFormOfBinaryLayers) {
  TinyParams params;
  params.values = WeightValues::kBinary;
  params.input_bits = params.hidden_bits = 1;
  const Program program = numerics::lower(tiny_model(params));
  const auto strategies = [&](Optimize optimize) {
    std::vector<std::string> names;
    for (const MappedKernel& k : map_kernels(program, {1, optimize})) names.push_back(k.strategy + (k.ii == 1 ? " 1" : ""));
    return names;
  };
  EXPECT_THAT(strategies(Optimize::kThroughput), testing::Contains("popcount-wave 1"));
}

INSTANTIATE_TEST_SUITE_P(Shapes, LowerTiny, testing::ValuesIn(shapes()), testing::PrintToStringParamName());

/// The tiny model with multipliers 3, 5, 7 .. and `more_shift` larger shifts in the feed-forward layer's input and hidden values.
Model with_multipliers(bool input, bool hidden, int more_shift) {
  Model model = tiny_model();
  auto& f = std::get<FeedForward>(model.layers[1]);
  const auto change = [&](Activation& activation, int channels) {
    auto& rq = std::get<Requantise>(activation);
    rq.shift += more_shift;
    for (int c = 0; c < channels; ++c) rq.multiplier.push_back(c % 2 ? 255 : 131 + 2 * c);
  };
  if (input) change(f.input, model.width);
  if (hidden) change(f.up.activation, f.up.weights.outputs);
  verify(model);
  return model;
}

void expect_mapped_right(const Model& model) {
  const Program program = numerics::lower(model);
  expect_equal_values(model, program, some_tokens(model, 9));
  const auto mapped = map_kernels(program, {});
  for (size_t k = 0; k < mapped.size(); ++k) EXPECT_FALSE(check::verify_mapping(program.kernels[k], mapped[k])) << mapped[k].name;
}

TEST(Lower, MultipliersWithLargeShiftsBecomeStamps) {
  const Model model = with_multipliers(true, true, 7);
  const Program program = numerics::lower(model);
  int stamps = 0;
  for (const Kernel& kernel : program.kernels) stamps += kernel.form.serial->multiply;
  EXPECT_EQ(stamps, 3);  // query, and two blocks of rows of up
  expect_mapped_right(model);
}

TEST(Lower, MultipliersWithSmallShiftsGoIntoTheWeights) {
  expect_mapped_right(with_multipliers(false, true, 0));
}

TEST(Lower, MultipliersAfterAResidualSumWithSmallShiftsLetWordsEnterLater) {
  expect_mapped_right(with_multipliers(true, false, 0));
}

TEST(Lower, BatchesAndSingleTokensGiveTheSame) {
  const Model model = tiny_model();
  const Program program = numerics::lower(model);
  const auto run = [&](int step, const StepBatch& inputs) {
    return evaluate(program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag, inputs);
  };
  const std::vector<int> tokens = some_tokens(model, 11);
  HostState together = initial_state(program), alone = initial_state(program);
  const HostTrace batch = run_tokens(program, together, tokens, run);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const HostTrace one = run_tokens(program, alone, {tokens[i]}, run);
    EXPECT_EQ(logits(program, one, 0), logits(program, batch, static_cast<int>(i))) << i;
  }
  EXPECT_EQ(together.caches, alone.caches);
}

TEST(Verify, ObjectsToEveryFunctionalCellOfAnArray) {
  const Program program = numerics::lower(tiny_model());
  const size_t k = 1;  // a matrix with clamps
  MappedKernel mapped = map_kernel(program.kernels[k], MapParams{});
  ASSERT_FALSE(check::verify_mapping(program.kernels[k], mapped));
  int found = 0;
  for (int x = 0; x < 4; ++x) {
    MappedKernel broken = mapped;
    broken.grid.at(x, 1) = 0;
    found += check::verify_mapping(program.kernels[k], broken).has_value();
  }
  EXPECT_EQ(found, 4);
}

}  // namespace
}  // namespace bitgrid::mapping
