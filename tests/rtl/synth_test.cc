#include "rtl/synth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estimate/technology.h"
#include "rtl/command.h"
#include "rtl/datapath.h"
#include "tests/support/errors.h"

namespace bitgrid::rtl {
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

StandardCells cells() {
  return {{"BUF", 0.8}, {"INV", 0.5}, {"NAND2", 0.8}, {"NOR2", 0.8}, {"MUX2", 1.9}, {"DFF", 4.5}, {"DLATCH", 2.5}};
}

SynthTarget module(const std::string& body) {
  return {"m", {{"m.v", "module m(input clk, a, b, output y);\n" + body + "endmodule\n"}}, "m", {}};
}

TEST(Synth, CountsStandardCellsLevelsAndArea) {
  NEEDS_YOSYS();
  SynthParams params;
  params.ice40 = false;
  params.cells = cells();
  const SynthResult r = synthesize(module("reg q; always @(posedge clk) q <= ~(a & b); assign y = q;\n"), params);
  EXPECT_EQ(r.levels, 1u);
  EXPECT_EQ(r.mapped, (std::map<std::string, uint64_t>{{"DFF", 1}, {"NAND2", 1}}));
  EXPECT_DOUBLE_EQ(*r.area_um2, 5.3);
  const SynthResult latch = synthesize(module("reg q; always @* if (a) q = b; assign y = q;\n"), params);
  EXPECT_DOUBLE_EQ(*latch.area_um2, 2.5);
}

TEST(Synth, WithoutACellForItThereIsNoArea) {
  NEEDS_YOSYS();
  SynthParams params;
  params.ice40 = false;
  params.cells = cells();
  params.cells.erase("DLATCH");
  EXPECT_FALSE(synthesize(module("reg q; always @* if (a) q = b; assign y = q;\n"), params).area_um2);
}

TEST(Synth, TheDefaultTechnologyHasTheAreaOfTheCell) {
  NEEDS_YOSYS();
  const estimate::GateTechnology t = estimate::load_gate_technology("");
  SynthParams params;
  params.ice40 = false;
  params.cells = t.standard_cells_um2;
  EXPECT_NEAR(*synthesize(cell_target(true), params).area_um2, t.technology.cell_area_um2, 0.03 * t.technology.cell_area_um2);
  EXPECT_NEAR(*synthesize(cell_target(false), params).area_um2,
              estimate::cell_area(t.cell_logic_um2, t.configuration_bit_um2.at("flip_flops")), 15);
}

TEST(Synth, WithoutNextpnrTheRateIsMissingAndSaidWhy) {
  NEEDS_YOSYS();
  SynthParams params;
  params.nextpnr = "no-such-nextpnr";
  const SynthResult result = synthesize(cell_target(false), params);
  EXPECT_FALSE(result.fmax_mhz);
  EXPECT_EQ(result.not_placed, "no-such-nextpnr does not start; apt-get install nextpnr-ice40");
}

TEST(Synth, AGridIsPlaced) {
  NEEDS_YOSYS();
  if (run_command({"nextpnr-ice40", "--version"}, "/dev/null") != 0) GTEST_SKIP() << "nextpnr-ice40 is not installed";
  const SynthResult result = synthesize(grid_target({2, 2, 1}, false));
  ASSERT_TRUE(result.fmax_mhz) << result.not_placed;
  EXPECT_GT(*result.fmax_mhz, 20.0);
}

TEST(Synth, ADatapathWithMorePortsThanPinsIsPlaced) {
  NEEDS_YOSYS();
  if (run_command({"nextpnr-ice40", "--version"}, "/dev/null") != 0) GTEST_SKIP() << "nextpnr-ice40 is not installed";
  const Dag dag = parse_dag("dag wide\ninput a 200\ninput b 200\nx:200 = xnor a b\nc:8 = popcount x\noutput y c\noutput z x\n");
  const SynthResult result = synthesize(datapath_target(make_rtl_source("wide", datapath_verilog(dag))));
  ASSERT_TRUE(result.fmax_mhz) << result.not_placed;
  EXPECT_GT(*result.fmax_mhz, 20.0);
  EXPECT_GE(*result.lut4s, 200u);  // of the kernel, without its ports' registers
  EXPECT_LT(*result.ice40_flip_flops, 1200u);
}

TEST(Synth, WhatTakesTooLongHasAProblem) {
  NEEDS_YOSYS();
  SynthParams params;
  params.timeout_seconds = 1;
  const SynthResult result = synthesize(grid_target({40, 40, 1}, false), params);
  EXPECT_EQ(result.problem, "Yosys did not finish within 1 seconds");
  EXPECT_EQ(result.gates, 0u);
}

TEST(Synth, BadVerilogIsAnError) {
  NEEDS_YOSYS();
  EXPECT_THAT(test::error_of([&] {
                synthesize({"broken", {{"broken.v", "module m (input a; endmodule\n"}}, "m", {}});
              }),
              HasSubstr("broken: Yosys does not synthesize it: "));
}

}  // namespace
}  // namespace bitgrid::rtl
