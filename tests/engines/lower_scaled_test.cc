// Which models with scales become Programs; tests/check/check_scaled_test.cc compares what they compute.
#include "lowering/scales/lower_scaled.h"

#include <gtest/gtest.h>

#include "engines/open_model.h"
#include "ir/dag_eval.h"
#include "ir/host.h"
#include "ir/index.h"
#include "lowering/scales/vector_steps.h"
#include "reference_cpu/scaled/scaled_engine.h"
#include "tests/support/errors.h"

namespace bitgrid::scales {
namespace {

std::string problem(ScaledModel model, Dataflow dataflow = Dataflow::kStreamed) {
  const auto p = find_lowering_problem(model, {}, dataflow);
  return p ? p->where + ": " + p->problem + "; " + p->cure : "";
}

TEST(LowerScaled, SaysWhichModelsAreNotLowered) {
  engines::ScaledSource source(std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-bitnet", {});
  const ScaledModel& model = source.integers();
  EXPECT_EQ(problem(model), "");
  ScaledModel large = model;
  std::get<GatedFeedForward>(large.layers[1]).gate.weights = std::make_shared<PackedWeights>(8192, 4096, WeightStorage::kOneBit);
  EXPECT_EQ(problem(large, Dataflow::kResident).substr(model.name.size()),
            ": it has 34295808 weights, and each needs its own cells: at most 33554432; use --dataflow streamed");
  EXPECT_EQ(problem(large),
            "model.layers.0.mlp.gate_proj: its weights are not all -1, 0 or 1 in two bits each, which streamed weights must be so "
            "far; use --dataflow resident");
  ScaledModel silu = model;
  std::get<GatedFeedForward>(silu.layers[3]).function = GateFunction::kSilu;
  EXPECT_EQ(
      problem(silu),
      "model.layers.1.post_attention_layernorm: kernels only support the gate ReLU squared with a sub-norm so far; run it with --engine "
      "cpu");
  ScaledModel eps = model;
  eps.stream_eps = INT64_MAX;
  EXPECT_EQ(problem(eps), model.name + ": kernels take an eps of at most 62 bits; run it with --engine cpu");
}

std::vector<int64_t> logits_of_kernels(const ScaledModel& model, const std::vector<int>& tokens) {
  const Program program = lower_scaled(model, {}, {{}, 16});
  HostState state = initial_state(program);
  const HostTrace trace = run_tokens(program, state, tokens, [&](int step, const StepBatch& batch) {
    return evaluate(program.kernels[index_of(program.steps[index_of(step)].kernel)].dag, batch);
  });
  return logits(program, trace, int_of(tokens.size()) - 1);
}

std::vector<int64_t> logits_of_cpu(const ScaledModel& model, const std::vector<int>& tokens) {
  const cpu::ScaledEngine engine(model, {});
  cpu::ScaledState state = engine.start();
  std::vector<int64_t> values;
  engine.feed(
      state, tokens, false, [&](size_t, cpu::ScaledLogits z) { values = std::move(z.values); }, nullptr);
  return values;
}

/// Units that are far too large, or too small: nearly all scores reach an end of their range, or none leaves 0.
TEST(LowerScaled, ScoresOfAnySizeAreExact) {
  engines::ScaledSource source(std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-bitnet", {});
  for (const int64_t larger : {-60, -4, 8, 20, 32}) {
    ScaledModel model = source.integers();
    model.tables.softmax = shifted(model.tables.softmax, larger);
    const std::vector<int> tokens = {2, 3, 4, 5, 6};
    EXPECT_EQ(logits_of_kernels(model, tokens), logits_of_cpu(model, tokens)) << larger;
  }
}

TEST(VectorSteps, NumbersHaveAtMost64Bits) {
  numerics::ProgramBuilder builder;
  VectorSteps steps(builder);
  EXPECT_EQ(steps.twos_vector("y", 3, 64).bits, 64u);
  EXPECT_EQ(test::error_of([&] { steps.twos_vector("large", 3, 65); }),
            "large: its numbers would have 65 bits, and kernels take numbers of up to 64; run the model with --engine cpu");
}

}  // namespace
}  // namespace bitgrid::scales
