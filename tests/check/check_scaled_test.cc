// Engines of models with scales against the definition.
#include "check/check_scaled.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/kernel_runner.h"
#include "tests/support/errors.h"

namespace bitgrid::check {
namespace {

using testing::HasSubstr;

/// Evaluates the kernels' Dags, and gets the lowest bit of one step wrong.
template <const char* const& step_name>
engines::KernelEngine wrong_engine(const engines::EngineInputs& inputs) {
  return {[&program = inputs.program](int index, const StepBatch& batch) {
            const Step& step = program.steps[static_cast<size_t>(index)];
            BitMatrix out = evaluate(program.kernels[static_cast<size_t>(step.kernel)].dag, batch);
            if (step.name == step_name) out.set_word(0, 0, 1, 1 - out.get_word(0, 0, 1));
            return out;
          },
          [] { return engines::EngineStats{}; }};
}

template <const char* const& step_name>
engines::Engine wrong() {
  engines::Engine engine;
  engine.name = "wrong";
  engine.of_kernels = wrong_engine<step_name>;
  engine.of_scaled = [](engines::ScaledSource& source, const engines::ScaledRunParams& params) {
    return engines::kernel_runner(wrong_engine<step_name>, source, params);
  };
  return engine;
}

constexpr const char* kCodes = "model.layers.0.input_norm.codes";
constexpr const char* kUnit = "logits.unit";

ScaledCheckReport check_with(const engines::Engine& engine, const std::string& kv = "") {
  engines::OpenParams open;
  open.context = 32;
  engines::ScaledSource source(std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-bitnet", open);
  ScaledCheckParams params;
  params.engines = {&engine};
  params.windows = {{2, 3, 4, 5, 6, 1, 9, 14, 3, 20, 7}};
  params.cache = parse_cache_forms(kv);
  return check_scaled(source, params);
}

TEST(CheckScaled, KernelsAreTheDefinition) {
  const ScaledCheckReport report = check_with(engines::find_engine("dag"));
  ASSERT_EQ(report.engines.size(), 1u);
  EXPECT_EQ(report.engines[0].mismatches, 0u);
  EXPECT_EQ(report.engines[0].compared, 10u * 5666u);
  EXPECT_TRUE(report.ok());
}

TEST(CheckScaled, AWrongBitOfAKernelIsFound) {
  const ScaledCheckReport report = check_with(wrong<kCodes>());
  EXPECT_FALSE(report.ok());
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->engine, "wrong");
  EXPECT_EQ(report.first->position, 0u);
  EXPECT_EQ(report.first->name, "model.layers.0.a");
  EXPECT_EQ(report.first->index, 0u);
}

TEST(CheckScaled, AWrongUnitOfTheLogitsIsFound) {
  const ScaledCheckReport report = check_with(wrong<kUnit>());
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->name, "unit of the logits");
  EXPECT_EQ(report.engines[0].mismatches, 1u);
}

TEST(CheckScaled, CachesThatAreNotLoweredYetAreRefused) {
  EXPECT_THAT(test::error_of([] { check_with(engines::find_engine("dag"), "k=4:max"); }),
              HasSubstr("--kv: kernels only cache keys and values as k=8:shift,v=8:shift so far; run it with --engine cpu"));
}

}  // namespace
}  // namespace bitgrid::check
