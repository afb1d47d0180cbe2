// Which models with scales become Programs; tests/check/check_scaled_test.cc compares what they compute.
#include "lowering/scales/lower_scaled.h"

#include <gtest/gtest.h>

#include "engines/open_model.h"
#include "lowering/scales/vector_steps.h"
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

TEST(VectorSteps, NumbersHaveAtMost64Bits) {
  numerics::ProgramBuilder builder;
  VectorSteps steps(builder);
  EXPECT_EQ(steps.twos_vector("y", 3, 64).bits, 64u);
  EXPECT_EQ(test::error_of([&] { steps.twos_vector("large", 3, 65); }),
            "large: its numbers would have 65 bits, and kernels take numbers of up to 64; run the model with --engine cpu");
}

}  // namespace
}  // namespace bitgrid::scales
