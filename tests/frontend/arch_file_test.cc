// Architecture files: every field, and every mistake with its line.
#include "frontend/arch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "ir/file.h"
#include "tests/support/errors.h"

namespace bitgrid::frontend {
namespace {

using testing::HasSubstr;

class ArchFile : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  Arch load(const std::string& text) {
    write_file(path_, text);
    return load_arch(path_);
  }
  std::string problem(const std::string& text) {
    return test::error_of([&] { load(text); });
  }

  std::string path_ = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".arch.yaml";
};

TEST_F(ArchFile, TheDefaultFileHoldsTheDefaults) {
  const Arch arch = load_arch(std::string(BITGRID_SOURCE_DIR) + "/arch/default.yaml");
  EXPECT_EQ(arch.platform, Platform{});
  EXPECT_EQ(arch.configuration_bits_per_cycle, Arch{}.configuration_bits_per_cycle);
}

TEST_F(ArchFile, ReadsEveryFieldOfThePlatform) {
  const Platform p = load(
                         "platform:\n  clock_mhz: 1.5\n  tiles: 3\n  residency: shared\n  schedule: dataflow\n  constant_streams: free\n"
                         "  border_queue: 4\n  configuration_ports: 5\n  dma_burst_bytes: 64\n"
                         "  sram: {banks: 6, bits_per_cycle: 72, latency: 8, bytes: 9}\n"
                         "  dram: {bits_per_cycle: 10, latency: 11}\n  host: {bits_per_cycle: 12, latency: 13}\n")
                         .platform;
  EXPECT_EQ(p, (Platform{1.5, 3, Residency::kShared, Schedule::kDataflow, ConstantStreams::kFree, 4, 5, 6, 72, 8, 9, 10, 11, 12, 13, 64}));
}

TEST_F(ArchFile, NamesTheLineOfAnUnknownField) {
  EXPECT_THAT(problem("name: x\nplatform:\n  tiles: 3\n  clock: 5\n"), HasSubstr(".arch.yaml:4: unknown key `clock` in platform"));
  EXPECT_THAT(problem("platform:\n  sram:\n    bank: 3\n"), HasSubstr(":3: unknown key `bank` in platform.sram; did you mean `banks`?"));
}

TEST_F(ArchFile, NamesTheLineOfABadValue) {
  EXPECT_THAT(problem("platform:\n  residency: mine\n"), HasSubstr(":2: platform.residency is 'mine'; choose resident or shared"));
  EXPECT_THAT(problem("platform:\n  tiles: -1\n"), HasSubstr(":2: platform.tiles is -1, outside 0 .. 65536"));
  EXPECT_THAT(problem("platform:\n  clock_mhz: 0\n"), HasSubstr(":2: platform.clock_mhz is 0, outside 0.001 .. 1000000"));
  EXPECT_THAT(problem("platform:\n  sram: {bits_per_cycle: 12}\n"),
              HasSubstr(":2: platform.sram.bits_per_cycle is 12, which is not a whole number of bytes"));
  EXPECT_THAT(problem("platform:\n  dma_burst_bytes: 12\n"), HasSubstr(":2: platform.dma_burst_bytes is 12"));
  EXPECT_THAT(problem("platform: 7\n"), HasSubstr(":1: platform is"));
}

TEST_F(ArchFile, DamagedFilesAreErrorsAtMost) {
  const std::string text = read_file(std::string(BITGRID_SOURCE_DIR) + "/arch/default.yaml");
  uint32_t random = 1;
  for (int i = 0; i < 300; ++i) {
    std::string damaged = text;
    random = random * 1664525 + 1013904223;
    const size_t at = (random >> 8) % text.size();
    if (i % 2 == 0) {
      damaged.resize(at);
    } else {
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random >> 28 & 7)));
    }
    problem(damaged);
  }
}

}  // namespace
}  // namespace bitgrid::frontend
