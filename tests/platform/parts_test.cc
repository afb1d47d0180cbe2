// The platform's pieces that need no simulation: activities, channels, addresses.
#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/systemc/channel.h"
#include "bitgrid_sim/systemc/memory_map.h"
#include "bitgrid_sim/systemc/timeline.h"
#include "tests/platform/wires.h"

namespace bitgrid::platform {
namespace {

TEST(Timeline, TheFirstActivityInOrderShows) {
  // Against a cycle by cycle reference.
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Interval> intervals;
    for (uint32_t i = 0; i < 8; ++i) {
      const uint64_t begin = random() % 30;
      intervals.push_back({static_cast<Activity>(random() % 4), i, begin, begin + random() % 8, 0});
    }
    std::vector<Activity> shown(40, Activity::kIdle);
    for (const Interval& i : intervals) {
      for (uint64_t c = i.begin; c < i.end; ++c) shown[c] = std::min(shown[c], i.activity);
    }
    std::vector<Activity> got(40, Activity::kIdle);
    uint64_t last = 0;
    for (const Interval& i : resolve(intervals)) {
      EXPECT_LT(i.begin, i.end);
      EXPECT_GE(i.begin, last);
      last = i.end;
      for (uint64_t c = i.begin; c < i.end; ++c) got[c] = i.activity;
    }
    ASSERT_EQ(got, shown);
    EXPECT_EQ(sum(resolve(intervals), 40).total(), 40u);
  }
}

TEST(Channel, BitsFollowOneAnother) {
  Channel channel("c", 10, nullptr);
  const auto take = [&](uint64_t now, uint64_t bits) {
    const Span span = channel.take(now, bits, bits / 8, 0);
    return std::pair(span.begin, span.end);
  };
  EXPECT_EQ(take(5, 25), std::pair(uint64_t{5}, uint64_t{8}));
  EXPECT_EQ(take(6, 5), std::pair(uint64_t{8}, uint64_t{8}));  // fits into cycle 7
  EXPECT_EQ(take(6, 11), std::pair(uint64_t{8}, uint64_t{10}));
  EXPECT_EQ(take(20, 1), std::pair(uint64_t{20}, uint64_t{21}));
  EXPECT_EQ(channel.result().busy_cycles, 6u);
  EXPECT_EQ(channel.result().transactions, 4u);
}

TEST(Channel, WithoutALimitNothingTakesTime) {
  Channel channel("c", 0, nullptr);
  const Span span = channel.take(5, 1000000, 125000, 0);
  EXPECT_EQ(span.begin, 5u);
  EXPECT_EQ(span.end, 5u);
  EXPECT_EQ(channel.result().bytes, 125000u);
}

TEST(MemoryMap, StepsNeverShareAByte) {
  Wires w = chained_wires(2, 1, 3);
  for (Tensor& t : w.program.tensors) t.encoding.bits = 3;
  for (Kernel& k : w.program.kernels) k.outputs[0].bits = k.inputs[0].bits = 3;
  const MemoryMap map = make_memory_map(w.program, w.mapped, 2, 8);
  // Two words of three bits, then the next byte.
  EXPECT_EQ(map.tensors[0].bits, (std::vector<uint64_t>{0, 3, 8, 11, 16, 19}));
  EXPECT_EQ(map.tensors[0].slot_bytes, 8u);
  EXPECT_EQ(map.stream_bytes, 24u);  // row, t0, t1
  const auto addresses = result_addresses(w.program, map, 1, 0, w.program.steps[1], 0, 2);
  EXPECT_EQ(addresses, (std::vector<uint64_t>{8 * (24 + 16) + 16, 8 * (24 + 16) + 19}));
}

TEST(MemoryMap, NeighboursTravelTogether) {
  const auto list = bursts({100, 16, 24, 20, 108}, 4);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].first, 2u);
  EXPECT_EQ(list[0].bytes, 2u);
  EXPECT_EQ(list[1].first, 12u);
  EXPECT_EQ(list[1].bytes, 2u);
}

TEST(MemoryMap, BitsOfAnyWidthGoInAndOut) {
  std::mt19937_64 random(1);
  std::vector<uint8_t> bytes(32, 0xA5);
  for (int i = 0; i < 1000; ++i) {
    const auto bits = static_cast<uint32_t>(random() % 64 + 1);
    const uint64_t first = random() % (256 - bits), value = random() >> (64 - bits);
    const std::vector<uint8_t> before = bytes;
    set_bits(bytes, first, bits, value);
    ASSERT_EQ(get_bits(bytes, first, bits), value);
    for (uint64_t b = 0; b < 256; ++b) {
      if (b >= first && b < first + bits) continue;
      ASSERT_EQ(bytes[b / 8] >> (b % 8) & 1, before[b / 8] >> (b % 8) & 1);
    }
  }
}

}  // namespace
}  // namespace bitgrid::platform
