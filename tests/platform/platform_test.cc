// The platform on programs whose times can be worked out by hand.
#include "bitgrid_sim/systemc/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "bitgrid_sim/systemc/platform_report.h"
#include "ir/error.h"
#include "tests/platform/support.h"
#include "tests/platform/wires.h"
#include "tests/support/errors.h"

namespace bitgrid::platform {
namespace {

using testing::HasSubstr;

PlatformResult simulate(const Wires& w, const Platform& platform, std::vector<std::vector<int>> streams = {{1}}) {
  return simulate_platform(w.program, w.mapped, params_for(platform, std::move(streams)));
}

const BusResult& bus(const PlatformResult& result, const std::string& name) {
  return *std::find_if(result.buses.begin(), result.buses.end(), [&](const BusResult& b) { return b.name == name; });
}

TEST(Platform, IdealMemoryLeavesTheKernelsOwnCycles) {
  NEEDS_SYSTEMC();
  // Three stages of 4 invocations, 5 cycles apart, latency 2: 3 * (3 * 5 + 2).
  const PlatformResult result = simulate(chained_wires(3, 5, 4), ideal_platform());
  EXPECT_EQ(result.cycles, 51u);
  expect_parts(result.streams[0].times[0].parts, {51, 0, 0, 0, 0, 0});
  expect_parts(result.tiles[1].parts, {17, 0, 0, 0, 0, 34});
  expect_consistent(result);
}

TEST(Platform, LatencyBeyondTheIntervalIsFilling) {
  NEEDS_SYSTEMC();
  // II 1: an invocation enters in each of 4 cycles, and the last needs one more.
  const PlatformResult result = simulate(chained_wires(1, 1, 4), ideal_platform());
  expect_parts(result.streams[0].times[0].parts, {4, 1, 0, 0, 0, 0});
  expect_parts(result.kernels[0].parts, {4, 1, 0, 0, 0, 0});
  EXPECT_EQ(result.kernels[0].invocations, 4u);
}

TEST(Platform, ResidentTilesAreLoadedBeforeTheFirstToken) {
  NEEDS_SYSTEMC();
  // Three kernels of 32 cells through one port of 64 bits a cycle.
  EXPECT_EQ(simulate(chained_wires(3, 5, 4), ideal_platform()).load_cycles, 96u);
  Platform two_ports = ideal_platform();
  two_ports.configuration_ports = 2;
  EXPECT_EQ(simulate(chained_wires(3, 5, 4), two_ports).load_cycles, 64u);
}

TEST(Platform, OneBankOfOneLineACycleFeedsTheGrid) {
  NEEDS_SYSTEMC();
  // Lines of one byte, one bank: an invocation reads 2 lines and writes 2.
  Platform p = ideal_platform();
  p.sram_banks = 1;
  p.sram_bits_per_cycle = 8;
  const PlatformResult one = simulate(chained_wires(1, 1, 1), p);
  // The row of two bytes is written in 2 cycles; then read in 2, computed in 2 (1 in, 1 draining), written in 2.
  EXPECT_EQ(one.cycles, 8u);
  expect_parts(one.streams[0].times[0].parts, {1, 1, 0, 0, 6, 0});
  expect_parts(one.tiles[0].parts, {1, 1, 0, 0, 4, 2});
  EXPECT_EQ(bus(one, "sram.bank0").busy_cycles, 6u);
  EXPECT_EQ(bus(one, "sram.bank0").bytes, 6u);
  EXPECT_EQ(bus(one, "sram.bank0").transactions, 3u);
}

TEST(Platform, AWaitBetweenInvocationsIsCounted) {
  NEEDS_SYSTEMC();
  // Two banks: reads of the operands take 2 cycles each on the bank of their line; results go to the same two. II 1.
  Platform p = ideal_platform();
  p.sram_banks = 2;
  p.sram_bits_per_cycle = 8;
  const PlatformResult result = simulate(chained_wires(1, 1, 3), p);
  // Row of 6 bytes: 3 cycles on two banks. Reads 1 cycle each (a byte of each bank): starts at 4, 5, 6; results at 6, 7, 8, written
  // until 9.
  EXPECT_EQ(result.cycles, 9u);
  expect_parts(result.kernels[0].parts, {3, 1, 0, 0, 2, 0});
}

TEST(Platform, LatencyOfTheMemoryIsHiddenByTheBordersQueue) {
  NEEDS_SYSTEMC();
  Platform p = ideal_platform();
  p.sram_latency = 3;
  // Row in SRAM at 3; reads arrive at 6; 4 starts 5 cycles apart: last at 21, out at 23, written at 26.
  const PlatformResult result = simulate(chained_wires(1, 5, 4), p);
  EXPECT_EQ(result.cycles, 26u);
  expect_parts(result.kernels[0].parts, {17, 0, 0, 0, 6, 0});
}

TEST(Platform, TheHostLinkAndTheDramTakeTheirTime) {
  NEEDS_SYSTEMC();
  Platform p = ideal_platform();
  p.host_bits_per_cycle = 8;
  p.host_latency = 10;
  p.dram_bits_per_cycle = 4;
  p.dram_latency = 20;
  PlatformParams params = params_for(p, {{1}});
  params.generate = 1;
  params.choose = [](size_t, const std::vector<int64_t>& logits) {
    return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  };
  const Wires w = chained_wires(1, 5, 1);
  const PlatformResult result = simulate_platform(w.program, w.mapped, params);
  // Token of 4 bytes: 4 + 10. Row of 2 bytes: 4 + 20. Kernel: 2. Logits of 2 bytes: 2 + 10.
  EXPECT_EQ(result.cycles, 14u + 24u + 2u + 12u);
  EXPECT_EQ(bus(result, "host").bytes, 6u);
  EXPECT_EQ(bus(result, "dram").busy_cycles, 4u);
  // Row 1 of the table is 74, 111; inverted 181, 144: the first is the largest.
  EXPECT_EQ(result.streams[0].tokens, (std::vector<int>{1, 0}));
}

TEST(Platform, SharedTilesCostTheirConfigurationWords) {
  NEEDS_SYSTEMC();
  Platform p = ideal_platform();
  p.residency = Residency::kShared;
  for (const int bits : {16, 64, 96, 1000}) {
    PlatformParams params = params_for(p, {{1, 2}});
    params.arch.configuration_bits_per_cycle = bits;
    const Wires w = chained_wires(3, 5, 4);
    const PlatformResult result = simulate_platform(w.program, w.mapped, params);
    const uint64_t load = (32 * 64 + static_cast<uint64_t>(bits) - 1) / static_cast<uint64_t>(bits);
    ASSERT_EQ(result.tiles.size(), 1u);
    expect_parts(result.tiles[0].parts, {2 * 51, 0, 6 * load, 0, 0, 0});
    EXPECT_EQ(result.tiles[0].configuration_words, 6u * 32u);
    EXPECT_EQ(result.cycles, 6 * (load + 17));
    EXPECT_EQ(result.load_cycles, 0u);
    expect_consistent(result);
  }
}

TEST(Platform, EnoughSharedTilesAreLoadedOnce) {
  NEEDS_SYSTEMC();
  Platform p = ideal_platform();
  p.residency = Residency::kShared;
  p.tiles = 3;
  const PlatformResult result = simulate(chained_wires(3, 5, 4), p, {{1, 2}});
  EXPECT_EQ(result.streams[0].times[0].end, 3u * (32 + 17));
  EXPECT_EQ(result.streams[0].times[1].end - result.streams[0].times[1].begin, 51u);
}

TEST(Platform, LoadingIsBoundByTheDram) {
  NEEDS_SYSTEMC();
  Platform p = ideal_platform();
  p.dram_bits_per_cycle = 32;
  p.dram_latency = 7;
  p.residency = Residency::kShared;
  p.dma_burst_bytes = 64;
  // 32 words at half a word a cycle and 7 cycles of latency; a burst of 8 words reaches the port when all of it is there: 8 cycles more.
  const PlatformResult result = simulate(chained_wires(1, 5, 4), p, {{1}});
  EXPECT_EQ(result.tiles[0].parts.configuring, 32u);
  // The row: 8 bytes in 2 cycles and 7.
  EXPECT_EQ(result.cycles, 9u + 64u + 7u + 8u + 17u);
  expect_parts(result.kernels[0].parts, {17, 0, 32, 0, 64 + 7 + 8 - 32, 0});
}

TEST(Platform, TilesWaitForThePort) {
  NEEDS_SYSTEMC();
  Platform p = ideal_platform();
  p.residency = Residency::kShared;
  p.tiles = 2;
  // Two streams want the two kernels of one stage at once: the second tile's 32 words come after the first's. The second stream's steps
  // find their kernels loading and come after the first's, 5 cycles apart.
  Wires w = chained_wires(2, 5, 1);
  w.program.steps[1].stage = 0;
  w.program.steps[1].inputs[0] = TokenSource{0, 0, 0};
  const PlatformResult result = simulate(w, p, {{1}, {2}});
  const size_t last = result.tiles[0].parts.port == 0 ? 1 : 0;
  expect_parts(result.tiles[1 - last].parts, {7, 0, 32, 0, 0, 32});
  expect_parts(result.tiles[last].parts, {7, 0, 32, 32, 0, 0});
  expect_consistent(result);
}

TEST(Platform, StreamsShareATileInvocationByInvocation) {
  NEEDS_SYSTEMC();
  // One kernel, II 5, latency 2: three streams start at 0, 5 and 10.
  const PlatformResult result = simulate(chained_wires(1, 5, 1), ideal_platform(), {{1}, {2}, {3}});
  EXPECT_EQ(result.cycles, 12u);
  EXPECT_EQ(result.streams[2].times[0].parts.idle, 10u);
  expect_consistent(result);
}

TEST(Platform, ConstantStreamsThatRunOnDelayStarts) {
  NEEDS_SYSTEMC();
  Wires w = chained_wires(2, 5, 1);
  // A constant of the east side that nothing reads: what matters is that there is one.
  for (MappedKernel& m : w.mapped) m.constants.push_back({{Side::E, 0, 1}, {1, 0, 0, 0, 0}});
  Platform p = ideal_platform();
  EXPECT_EQ(simulate(w, p).cycles, 4u);
  p.constants = ConstantStreams::kFree;
  // Loaded in 64 cycles: the first multiple of 5 is 65; the second stage is ready at 67 and begins at 70.
  EXPECT_EQ(simulate(w, p).cycles, 72u - 64u);
}

TEST(Platform, ValuesPassThroughTheMemories) {
  NEEDS_SYSTEMC();
  const Wires w = chained_wires(3, 2, 3);
  for (const Residency residency : {Residency::kResident, Residency::kShared}) {
    Platform p;
    p.residency = residency;
    const PlatformResult result = simulate(w, p, {{1, 4}, {3}});
    const auto expected = expected_values(w.program, {{1, 4}, {3}});
    EXPECT_EQ(result.streams[0].values.codes, expected[0].codes);
    EXPECT_EQ(result.streams[1].values.codes, expected[1].codes);
  }
}

TEST(Platform, ReportsAddUp) {
  NEEDS_SYSTEMC();
  const PlatformResult result = simulate(chained_wires(3, 5, 4), ideal_platform(), {{1, 2}});
  EXPECT_EQ(result.tokens(), 2u);
  EXPECT_DOUBLE_EQ(result.tokens_per_second(51), 1e6);
  const auto json = platform_result_json(result, ideal_platform(), 51);
  EXPECT_EQ(json["cycles_per_token"], 51.0);
  EXPECT_EQ(json["kernels"][0]["cycles"]["computing"], 34);
  EXPECT_DOUBLE_EQ(json["tiles"][0]["occupancy"], 1.0 / 3);
  EXPECT_THAT(platform_result_text(result, ideal_platform(), 51),
              HasSubstr("2 tokens of 1 stream in 102 cycles: 51 cycles per token (the program's own: 51), "));
}

TEST(Platform, WritesATraceThatAgreesWithItsCounters) {
  NEEDS_SYSTEMC();
  Platform p;
  p.residency = Residency::kShared;
  p.tiles = 2;
  p.clock_mhz = 250;
  const PlatformResult result = simulate(chained_wires(3, 5, 4), p, {{1, 2, 3}, {4, 0}});
  expect_consistent(result);
  const auto json = nlohmann::json::parse(trace_json(result.timeline, p.clock_mhz));
  std::map<std::string, std::map<std::string, uint64_t>> cycles;  // by track and activity
  std::map<std::string, uint64_t> bytes, last;
  std::map<int, std::string> tracks;
  for (const auto& event : json.at("traceEvents")) {
    const int track = event.at("tid");
    if (event.at("ph") == "M") {
      if (event.at("name") == "thread_name") tracks[track] = event.at("args").at("name");
      continue;
    }
    const uint64_t begin = event.at("args").at("cycle"), length = event.at("args").at("cycles");
    EXPECT_DOUBLE_EQ(event.at("ts"), static_cast<double>(begin) / 250);
    EXPECT_DOUBLE_EQ(event.at("dur"), static_cast<double>(length) / 250);
    EXPECT_GE(begin, last[tracks[track]]) << tracks[track];
    last[tracks[track]] = begin + length;
    EXPECT_LE(begin + length, result.cycles + 1);
    cycles[tracks[track]][event.at("cat")] += length;
    if (event.at("args").contains("bytes")) bytes[tracks[track]] += event.at("args").at("bytes").get<uint64_t>();
  }
  for (const TileResult& tile : result.tiles) {
    auto& of = cycles[tile.name];
    EXPECT_EQ(of["computing"], tile.parts.computing);
    EXPECT_EQ(of["configuring"], tile.parts.configuring);
    EXPECT_EQ(of["waiting for the port"], tile.parts.port);
    EXPECT_EQ(of["waiting for memory"], tile.parts.memory);
    EXPECT_EQ(of["filling or draining"], tile.parts.filling);
    EXPECT_GT(tile.parts.computing, 0u);
  }
  for (const BusResult& b : result.buses) {
    EXPECT_EQ(cycles[b.name]["transfer"], b.busy_cycles) << b.name;
    EXPECT_EQ(bytes[b.name], b.bytes) << b.name;
  }
  // 3 tokens and 2, a word each; the kernels' 32 words, as often as they were loaded.
  EXPECT_EQ(bus(result, "host").bytes, 5u * 4u);
  EXPECT_EQ(bus(result, "configuration0").bytes, (result.tiles[0].loads + result.tiles[1].loads) * 256);
}

// Mistakes

std::string problem(const Wires& w, const PlatformParams& params) {
  return test::error_of([&] { simulate_platform(w.program, w.mapped, params); });
}

TEST(PlatformErrors, SayWhatIsTooSmall) {
  NEEDS_SYSTEMC();
  const Wires w = chained_wires(3, 5, 4);
  PlatformParams params = params_for(Platform{}, {{1}});
  params.arch.platform.tiles = 2;
  EXPECT_EQ(problem(w, params),
            "platform.tiles: 3 kernels that each keep a tile need 3 tiles, there are 2; give more tiles, or `residency: shared`");
  params = params_for(Platform{}, {{1}, {1}});
  params.arch.platform.sram_bytes = 40;
  EXPECT_EQ(problem(w, params), "platform.sram.bytes: 2 streams need 64 bytes, there are 40; give more memory, or fewer streams");
  params = params_for(Platform{}, {{1}});
  params.arch.tile_width = 15;
  EXPECT_EQ(problem(w, params),
            "kernel k0: 16 x 2 cells do not fit the platform's tiles of 15 x 0; give a larger tile in the architecture file");
}

TEST(PlatformErrors, ComeBackFromTheSimulation) {
  NEEDS_SYSTEMC();
  PlatformParams params = params_for(Platform{}, {{1}});
  params.generate = 2;
  params.choose = [](size_t, const std::vector<int64_t>&) -> int { throw Error("here", "no token will do", "choose another"); };
  EXPECT_EQ(problem(chained_wires(1, 5, 1), params), "here: no token will do; choose another");
}

TEST(PlatformErrors, ADeadSimulationIsNoResult) {
  NEEDS_SYSTEMC();
  PlatformParams params = params_for(Platform{}, {{1}});
  params.generate = 2;
  params.choose = [](size_t, const std::vector<int64_t>&) -> int { _exit(3); };
  EXPECT_THAT(problem(chained_wires(1, 5, 1), params), HasSubstr("the simulation's process ended without a result"));
}

TEST(PlatformErrors, StreamsNeedTokens) {
  NEEDS_SYSTEMC();
  const Wires w = chained_wires(1, 5, 1);
  EXPECT_THAT(problem(w, params_for(Platform{}, {})), HasSubstr("there are no streams"));
  EXPECT_THAT(problem(w, params_for(Platform{}, {{1}, {}})), HasSubstr("a stream has no initial token"));
}

TEST(PlatformErrors, WithoutSystemCThePackageIsNamed) {
  if (platform_available()) GTEST_SKIP() << "bitgrid was built with SystemC";
  EXPECT_THAT(problem(chained_wires(1, 5, 1), params_for(Platform{}, {{1}})), HasSubstr("install the package libsystemc-dev"));
}

}  // namespace
}  // namespace bitgrid::platform
