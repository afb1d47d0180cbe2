#include "rtl/synth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "rtl/command.h"

namespace bitgrid {
namespace {

using testing::HasSubstr;

#define NEEDS_YOSYS() \
  if (run_command({"yosys", "-V"}, "/dev/null") != 0) GTEST_SKIP() << "yosys is not installed (scripts/install-dependencies --test)"

TEST(Synth, ACellHas64BitsAndFourOutputs) {
  NEEDS_YOSYS();
  SynthParams params;
  params.place = false;
  const SynthResult flip_flops = synthesize(cell_target(false), params);
  EXPECT_EQ(flip_flops.flip_flops, 68u);
  EXPECT_EQ(flip_flops.latches, 0u);
  EXPECT_EQ(*flip_flops.ice40_flip_flops, 68u);
  EXPECT_GE(*flip_flops.lut4s, 4u * 5);  // a multiplexer of 16 takes five LUTs of four
  EXPECT_GT(flip_flops.gates, 100u);
  params.ice40 = false;
  const SynthResult latches = synthesize(cell_target(true), params);
  EXPECT_EQ(latches.flip_flops, 4u);
  EXPECT_EQ(latches.latches, 64u);
}

TEST(Synth, AGridIsItsCellsAndAPhase) {
  NEEDS_YOSYS();
  SynthParams params;
  params.ice40 = false;
  EXPECT_EQ(synthesize(grid_target({3, 2, 1}, false), params).flip_flops, 6u * 68 + 1);
  EXPECT_EQ(synthesize(grid_target({3, 2, 1}, true), params).latches, 6u * 64);
}

TEST(Synth, WithoutNextpnrTheRateIsMissingAndSaidWhy) {
  NEEDS_YOSYS();
  SynthParams params;
  params.nextpnr = "no-such-nextpnr";
  const SynthResult result = synthesize(cell_target(false), params);
  EXPECT_FALSE(result.fmax_mhz);
  EXPECT_EQ(result.not_placed, "no-such-nextpnr does not start; apt-get install nextpnr-ice40");
}

TEST(Synth, ACellIsPlaced) {
  NEEDS_YOSYS();
  if (run_command({"nextpnr-ice40", "--version"}, "/dev/null") != 0) GTEST_SKIP() << "nextpnr-ice40 is not installed";
  const SynthResult result = synthesize(cell_target(false));
  ASSERT_TRUE(result.fmax_mhz) << result.not_placed;
  EXPECT_GT(*result.fmax_mhz, 20.0);
}

TEST(Synth, BadVerilogIsAnError) {
  NEEDS_YOSYS();
  try {
    synthesize({"broken", {{"broken.v", "module m (input a; endmodule\n"}}, "m", {}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("broken: Yosys does not synthesize it: "));
  }
}

}  // namespace
}  // namespace bitgrid
