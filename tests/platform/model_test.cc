// The platform on whole models: values against the evaluator, cycles against the Program's own count.
#include <gtest/gtest.h>

#include "frontend/load_model.h"
#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"
#include "tests/platform/support.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::platform {
namespace {

struct Mapped {
  Program program;
  std::vector<MappedKernel> mapped;
};

Mapped map_model(const Model& model) {
  Mapped m{numerics::lower(model), {}};
  m.mapped = mapping::map_kernels(m.program, {});
  return m;
}

void expect_values_of_the_evaluator(const Mapped& m, const Platform& platform, const std::vector<std::vector<int>>& streams) {
  const PlatformResult result = simulate_platform(m.program, m.mapped, params_for(platform, streams));
  const auto expected = expected_values(m.program, streams);
  for (size_t s = 0; s < streams.size(); ++s) EXPECT_EQ(result.streams[s].values.codes, expected[s].codes) << "stream " << s;
  expect_consistent(result);
}

const std::vector<std::vector<int>> kTexts = {{1, 2, 3, 4, 5, 6, 7, 1}, {5, 4, 3}};

TEST(PlatformModel, ResidentTilesGiveTheEvaluatorsValues) {
  NEEDS_SYSTEMC();
  expect_values_of_the_evaluator(map_model(tiny_model()), Platform{}, kTexts);
}

TEST(PlatformModel, SharedTilesGiveTheEvaluatorsValues) {
  NEEDS_SYSTEMC();
  Platform p;
  p.residency = Residency::kShared;
  for (p.tiles = 1; p.tiles <= 64; p.tiles *= 4) expect_values_of_the_evaluator(map_model(tiny_model()), p, kTexts);
}

TEST(PlatformModel, DataflowGivesTheEvaluatorsValuesSooner) {
  NEEDS_SYSTEMC();
  Platform p;
  p.schedule = Schedule::kDataflow;
  const Mapped m = map_model(tiny_model());
  expect_values_of_the_evaluator(m, p, kTexts);
  p.residency = Residency::kShared;
  p.tiles = 5;
  expect_values_of_the_evaluator(m, p, kTexts);
  p = ideal_platform();
  const uint64_t stages = simulate_platform(m.program, m.mapped, params_for(p, {{1, 2}})).cycles;
  p.schedule = Schedule::kDataflow;
  EXPECT_LT(simulate_platform(m.program, m.mapped, params_for(p, {{1, 2}})).cycles, stages);
}

TEST(PlatformModel, EveryShapeOfModel) {
  NEEDS_SYSTEMC();
  Platform p;
  p.sram_bits_per_cycle = 24;
  p.sram_banks = 3;
  TinyParams one_bit, shift;
  one_bit.values = WeightValues::kBinary;
  one_bit.input_bits = one_bit.query_bits = one_bit.key_bits = one_bit.value_bits = one_bit.score_bits = one_bit.hidden_bits = 1;
  one_bit.embedding_tables = 2;
  shift.embedding_tables = 3;
  shift.table = true;
  shift.window = 5;
  for (const TinyParams& params : {one_bit, shift}) expect_values_of_the_evaluator(map_model(tiny_model(params)), p, kTexts);
}

TEST(PlatformModel, IdealMemoryLeavesTheProgramsOwnCycles) {
  NEEDS_SYSTEMC();
  const Mapped m = map_model(tiny_model());
  const mapping::TokenCycles own = mapping::cycles_per_token(m.program, m.mapped, 64);
  const PlatformResult result = simulate_platform(m.program, m.mapped, params_for(ideal_platform(), kTexts));
  for (const TokenTime& t : result.streams[0].times) EXPECT_EQ(t.end - t.begin, static_cast<uint64_t>(own.total())) << t.begin;
}

TEST(PlatformModel, IdealMemoryLeavesTheShippedModelsOwnCycles) {
  NEEDS_SYSTEMC();
  const Mapped m = map_model(frontend::load_model(std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-ternary/model.yaml"));
  const mapping::TokenCycles own = mapping::cycles_per_token(m.program, m.mapped, 64);
  const std::vector<std::vector<int>> text = {{1, 2}};
  const PlatformResult result = simulate_platform(m.program, m.mapped, params_for(ideal_platform(), text));
  EXPECT_EQ(result.cycles, 2 * static_cast<uint64_t>(own.total()));
  const CycleParts parts = result.parts();
  EXPECT_EQ(parts.configuring, 2 * static_cast<uint64_t>(own.configuration));
  EXPECT_EQ(parts.computing + parts.filling, 2 * static_cast<uint64_t>(own.kernels));
  EXPECT_EQ(result.streams[0].values.codes, expected_values(m.program, text)[0].codes);
}

TEST(PlatformModel, TilesAndKernelsCountTheSame) {
  NEEDS_SYSTEMC();
  const Mapped m = map_model(tiny_model());
  const PlatformResult result = simulate_platform(m.program, m.mapped, params_for(Platform{}, {{1, 2, 3}}));
  CycleParts tiles, kernels;
  uint64_t words[2] = {};
  for (const TileResult& t : result.tiles) tiles += t.parts, words[0] += t.configuration_words;
  for (const KernelResult& k : result.kernels) kernels += k.parts, words[1] += k.configuration_words;
  tiles.idle = kernels.idle = 0;  // of tiles: nobody has them; of steps: others have the tile
  expect_parts(tiles, kernels);
  EXPECT_EQ(words[0], words[1]);
  EXPECT_EQ(8 * words[0], result.buses.back().bytes);
}

TEST(PlatformModel, ADamagedCellShows) {
  NEEDS_SYSTEMC();
  Mapped m = map_model(tiny_model());
  m.mapped[1].grid.at(0, 1) ^= 0xFFFF;
  const PlatformResult result = simulate_platform(m.program, m.mapped, params_for(Platform{}, kTexts));
  EXPECT_NE(result.streams[0].values.codes, expected_values(m.program, kTexts)[0].codes);
}

}  // namespace
}  // namespace bitgrid::platform
