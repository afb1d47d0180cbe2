// Engines of models with scales against the definition.
#include "check/check_scaled.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/kernel_runner.h"
#include "tests/support/errors.h"

namespace bitgrid::check {
namespace {

using testing::HasSubstr;

/// Evaluates the kernels' Dags, and gets the lowest bit of the kernel `code.1x8` wrong, once.
engines::KernelEngine wrong_engine(const engines::EngineInputs& inputs) {
  const auto done = std::make_shared<bool>(false);
  return {[&program = inputs.program, done](int step, const BitMatrix& batch) {
            const Kernel& kernel = program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)];
            BitMatrix out = evaluate(kernel.dag, batch);
            if (kernel.name == "code.1x8" && !*done) {
              out.set_word(0, 0, 1, 1 - out.get_word(0, 0, 1));
              *done = true;
            }
            return out;
          },
          [] { return engines::EngineStats{}; }};
}

engines::ScaledRunner wrong_runner(engines::ScaledSource& source, const engines::ScaledRunParams& params) {
  return engines::kernel_runner(wrong_engine, source, params);
}

ScaledCheckReport check_with(const engines::Engine& engine, const std::string& kv = "") {
  engines::OpenParams open;
  open.context = 32;
  engines::ScaledSource source(std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-bitnet", open);
  ScaledCheckParams params;
  params.engines = {&engine};
  params.windows = {{2, 3, 4, 5}};
  params.cache = parse_cache_forms(kv);
  return check_scaled(source, params);
}

TEST(CheckScaled, KernelsAreTheDefinition) {
  const ScaledCheckReport report = check_with(engines::find_engine("dag"));
  ASSERT_EQ(report.kernels.size(), 1u);
  EXPECT_EQ(report.kernels[0].mismatches, 0u);
  EXPECT_EQ(report.kernels[0].compared, 3u * 5664u);
  EXPECT_TRUE(report.ok());
}

TEST(CheckScaled, AWrongBitOfAKernelIsFound) {
  engines::Engine wrong;
  wrong.name = "wrong";
  wrong.of_kernels = wrong_engine;
  wrong.of_scaled = wrong_runner;
  const ScaledCheckReport report = check_with(wrong);
  EXPECT_FALSE(report.ok());
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->engine, "wrong");
  EXPECT_EQ(report.first->position, 0u);
  EXPECT_EQ(report.first->name, "model.layers.0.a");
  EXPECT_EQ(report.first->index, 0u);
}

TEST(CheckScaled, CachesThatAreNotLoweredYetAreRefused) {
  EXPECT_THAT(test::error_of([] { check_with(engines::find_engine("dag"), "k=4:max"); }),
              HasSubstr("--kv: kernels cache keys and values as k=8:shift,v=8:shift only so far; run it with --engine cpu"));
}

}  // namespace
}  // namespace bitgrid::check
