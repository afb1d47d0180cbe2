// What tests of the platform share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "bitgrid_sim/systemc/platform.h"
#include "ir/host.h"

#define NEEDS_SYSTEMC() \
  if (!platform_available()) GTEST_SKIP() << "bitgrid was built without SystemC (apt install libsystemc-dev)"

namespace bitgrid::platform {

/// Rates unlimited, latencies 0.
inline Platform ideal_platform() {
  Platform p;
  p.sram_bits_per_cycle = p.sram_latency = p.dram_bits_per_cycle = p.dram_latency = p.host_bits_per_cycle = p.host_latency = 0;
  return p;
}

inline PlatformParams params_for(const Platform& platform, std::vector<std::vector<int>> streams) {
  PlatformParams params;
  params.arch.platform = platform;
  params.streams = std::move(streams);
  params.keep_values = params.keep_timeline = true;
  return params;
}

inline void expect_parts(const CycleParts& got, const CycleParts& expected) {
  EXPECT_EQ(got.computing, expected.computing);
  EXPECT_EQ(got.filling, expected.filling);
  EXPECT_EQ(got.configuring, expected.configuring);
  EXPECT_EQ(got.port, expected.port);
  EXPECT_EQ(got.memory, expected.memory);
  EXPECT_EQ(got.idle, expected.idle);
}

/// The parts of every tile and of every token add up.
inline void expect_consistent(const PlatformResult& result) {
  for (const TileResult& tile : result.tiles) EXPECT_EQ(tile.parts.total(), result.cycles) << tile.name;
  for (const StreamResult& stream : result.streams) {
    for (const TokenTime& t : stream.times) EXPECT_EQ(t.parts.total(), t.end - t.begin);
  }
}

/// Values of all tensors as the Dags' evaluator has them.
inline std::vector<HostTrace> expected_values(const Program& program, const std::vector<std::vector<int>>& streams) {
  std::vector<HostTrace> all;
  for (const auto& tokens : streams) {
    HostState state = initial_state(program);
    all.push_back(run_tokens(program, state, tokens, [&](int step, const StepBatch& inputs) {
      return evaluate(program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag, inputs);
    }));
  }
  return all;
}

}  // namespace bitgrid::platform
