// The engine of models with scales on small random models: batches, threads, errors.
#include "reference_cpu/scaled/scaled_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frontend/checkpoint/convert.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_checkpoint.h"

namespace bitgrid::cpu {
namespace {

using ::testing::HasSubstr;

std::vector<int> text(int count) {
  std::vector<int> tokens;
  for (int t = 0; t < count; ++t) tokens.push_back((t * 13 + 7) % 40);
  return tokens;
}

TEST(ScaledEngine, ABatchGivesWhatOneStepAfterAnotherGives) {
  for (const auto& params : {test::TinyCheckpointParams{}, test::TinyCheckpointParams{"qwen3", frontend::StoredValues::kBinary,
                                                                                      frontend::ScaleSharing::kGroup, 32, true, 2}}) {
    const ScaledModel model = frontend::convert(test::tiny_checkpoint(params));
    const ScaledEngine engine(model, {parse_cache_forms("k=4:max,v=2:mean:rotated,recent=5"), {SumKernel::kFast, 3}});
    const std::vector<int> tokens = text(50);
    std::vector<std::vector<int64_t>> single, batch;
    ScaledState state = engine.start(), other = engine.start();
    for (const int t : tokens) single.push_back(engine.step(state, t).values);
    engine.feed(other, tokens, true, [&](size_t i, const ScaledLogits& z) {
      EXPECT_EQ(i, batch.size());
      batch.push_back(z.values);
    });
    EXPECT_EQ(batch, single);
  }
}

TEST(ScaledEngine, OnlyTheLastLogitsComeUnlessAllAreWanted) {
  const ScaledModel model = frontend::convert(test::tiny_checkpoint({}));
  const ScaledEngine engine(model);
  ScaledState state = engine.start();
  std::vector<size_t> told;
  engine.feed(state, text(40), false, [&](size_t i, const ScaledLogits&) { told.push_back(i); });
  EXPECT_THAT(told, ::testing::ElementsAre(39));
}

TEST(ScaledEngine, SaysWhatDoesNotFit) {
  const ScaledModel model = frontend::convert(test::tiny_checkpoint({}), {8, 1});
  const ScaledEngine engine(model);
  ScaledState state = engine.start();
  EXPECT_THAT(test::error_of([&] { return engine.step(state, 40); }), HasSubstr("there is no token 40; use 0 .. 39"));
  EXPECT_THAT(test::error_of([&] {
                engine.feed(state, text(9), false, [](size_t, const ScaledLogits&) {});
                return 0;
              }),
              HasSubstr("the context of 8 positions is full; generate fewer tokens, or give a larger --context"));
}

}  // namespace
}  // namespace bitgrid::cpu
