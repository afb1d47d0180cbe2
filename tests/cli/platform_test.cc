// run and check with --engine systemc.
#include "bitgrid_sim/systemc/platform.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

class PlatformCli : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    if (!platform::platform_available()) GTEST_SKIP() << "bitgrid was built without SystemC (apt install libsystemc-dev)";
  }
  std::string arch(const std::string& text) const {
    write_file(path("arch.yaml"), text);
    return " --arch " + path("arch.yaml");
  }
};

TEST_F(PlatformCli, TextIsThatOfTheCpu) {
  const Result cpu = bitgrid("run " + model_ + " --prompt ab --tokens 12 --engine cpu --json " + path("cpu.json"));
  ASSERT_EQ(cpu.status, 0) << cpu.output;
  const Result platform = bitgrid("run " + model_ + " --prompt ab --tokens 12 --engine systemc --json " + path("platform.json"));
  ASSERT_EQ(platform.status, 0) << platform.output;
  EXPECT_EQ(json_of("platform.json")["texts"], json::array({json_of("cpu.json")["text"]}));
  EXPECT_THAT(platform.output, HasSubstr("13 tokens of 1 stream in "));
}

TEST_F(PlatformCli, EffectiveArchitectureAndEverySumAreInTheResult) {
  const Result r = bitgrid("run " + model_ + " --prompt ab --tokens 3 --engine systemc --streams 2 --json " + path("r.json") +
                           arch("configuration_bits_per_cycle: 32\nplatform:\n  residency: shared\n  tiles: 3\n  dram: {latency: 7}\n"));
  ASSERT_EQ(r.status, 0) << r.output;
  const json result = json_of("r.json");
  EXPECT_EQ(result["arch"]["configuration_bits_per_cycle"], 32);
  EXPECT_EQ(result["arch"]["platform"]["dram"], json({{"bits_per_cycle", 128}, {"latency", 7}}));
  EXPECT_EQ(result["arch"]["platform"]["residency"], "shared");
  EXPECT_EQ(result["texts"].size(), 2u);
  EXPECT_EQ(result["texts"][0], result["texts"][1]);
  const json& platform = result["platform"];
  EXPECT_EQ(platform["tokens"], 8);
  ASSERT_EQ(platform["tiles"].size(), 3u);
  for (const json& tile : platform["tiles"]) {
    uint64_t sum = 0;
    for (const json& part : tile["cycles"]) sum += part.get<uint64_t>();
    EXPECT_EQ(sum, platform["cycles"].get<uint64_t>());
  }
  EXPECT_EQ(platform["token_times"].size(), 8u);
}

TEST_F(PlatformCli, StreamsSampleWithSeedsOfTheirOwn) {
  const std::string options = " --prompt ab --tokens 20 --temperature 1.0";
  const Result two = bitgrid("run " + model_ + options + " --seed 4 --streams 2 --engine systemc --json " + path("two.json"));
  ASSERT_EQ(two.status, 0) << two.output;
  for (int s = 0; s < 2; ++s) {
    const Result one = bitgrid("run " + model_ + options + " --engine cpu --json " + path("one.json") + " --seed " + std::to_string(4 + s));
    ASSERT_EQ(one.status, 0) << one.output;
    EXPECT_EQ(json_of("two.json")["texts"][static_cast<size_t>(s)], json_of("one.json")["text"]);
  }
}

TEST_F(PlatformCli, TheTraceIsAFileOfEvents) {
  const Result r = bitgrid("run " + model_ + " --prompt ab --tokens 2 --engine systemc --trace " + path("trace.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_GT(json_of("trace.json")["traceEvents"].size(), 100u);
}

TEST_F(PlatformCli, TraceAndStreamsNeedThePlatform) {
  const Result trace = bitgrid("run " + model_ + " --trace " + path("trace.json"));
  EXPECT_EQ(trace.status, 1);
  EXPECT_THAT(trace.output, HasSubstr("--trace: engine grid has no tiles and buses to trace; give --engine systemc"));
  EXPECT_FALSE(fs::exists(path("trace.json")));
  EXPECT_THAT(bitgrid("run " + model_ + " --streams 2").output, HasSubstr("--streams: engine grid runs one text; give --engine systemc"));
}

TEST_F(PlatformCli, TooFewTilesAreAnError) {
  const Result r = bitgrid("run " + model_ + " --engine systemc" + arch("platform: {tiles: 2}\n"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("there are 2; give more tiles, or `residency: shared`"));
}

TEST_F(PlatformCli, CheckAgreesAndFindsAChangedCell) {
  const Result good = bitgrid("check " + model_ + " --engines systemc --tokens 6");
  EXPECT_EQ(good.status, 0) << good.output;
  EXPECT_THAT(good.output, HasSubstr("0 mismatches in "));
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("out")).status, 0);
  const std::string kernel = json_of("out/compile.json")["kernels"][1]["name"];
  const std::string file = path("out/kernels/" + kernel + ".bgbs");
  std::string bytes = read_file(file);
  // Output E of the first multiply-accumulate cell, for index 8 (only the partial sum is 1): the kernel's first cell in row 1.
  const auto width = static_cast<size_t>(static_cast<unsigned char>(bytes[8]) | static_cast<unsigned char>(bytes[9]) << 8);
  bytes[24 + width * 8 + 2 + 1] = static_cast<char>(bytes[24 + width * 8 + 2 + 1] ^ 1);
  write_file(file, bytes);
  const Result bad = bitgrid("check " + model_ + " --engines systemc --tokens 6 --from " + path("out"));
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.output, HasSubstr("first mismatch: engine systemc, position "));
  EXPECT_THAT(bad.output, HasSubstr("kernel " + kernel));
}

}  // namespace
}  // namespace bitgrid
