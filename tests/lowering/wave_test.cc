// Which form wave mode takes, and that each computes what its source says.
#include "lowering/mapping/map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "ir/error.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "tests/lowering/blif_writer.h"
#include "tests/lowering/netlist_support.h"

namespace bitgrid::mapping {
namespace {

MappedKernel expect_wave(const Dag& dag, const std::string& strategy) {
  const MappedKernel kernel = map_kernel(synthesis::kernel_of(dag), in_wave_mode());
  EXPECT_EQ(kernel.strategy, strategy);
  EXPECT_EQ(kernel.ii, 1);
  EXPECT_EQ(kernel.name, dag.name);
  const BitMatrix batch = kernel.input_bits <= 16 ? all_values(kernel.input_bits) : random_batch(300, kernel.input_bits, 5);
  EXPECT_EQ(run_kernel(kernel, batch), evaluate(dag, batch));
  return kernel;
}
// The sum of b's bits times a, shifted.
Dag product_dag() {
  std::string text = "input a 8\ninput b 8\nzero = constant 8 0x0\n";
  for (int i = 0; i < 8; ++i) {
    const std::string n = std::to_string(i);
    text += "b" + n + ":1 = slice b " + n + "\nm" + n + ":8 = select b" + n + " a zero\n";
    if (i > 0) text += "z" + n + " = constant " + n + " 0x0\n";
    const std::string width = std::to_string(8 + i);
    text +=
        i == 0 ? "p0:16 = concat zero m0\n"
               : "s" + n + ":" + width + " = concat m" + n + " z" + n + "\np" + n + ":16 = add p" + std::to_string(i - 1) + " s" + n + "\n";
  }
  return dag_of(text + "output p p7\n");
}

TEST(Wave, ArithmeticOfDagsBecomesRegularArrays) {
  EXPECT_EQ(expect_wave(dag_of("input a 8\ninput b 8\ns:9 = add a b\noutput y s\n"), "ripple").grid.cells.size(), 8u);
  EXPECT_EQ(expect_wave(dag_of("input a 8\ninput b 8\ns:1 = less a b\noutput y s\n"), "ripple").grid.cells.size(), 8u);
  EXPECT_EQ(expect_wave(dag_of("input a 32\nc:6 = popcount a\noutput y c\n"), "counter").grid.cells.size(), 150u);
  EXPECT_EQ(expect_wave(product_dag(), "multiplier").grid.cells.size(), 391u);
}

Dag square_table() {
  Dag dag;
  dag.name = "square";
  std::vector<BitVector> table;
  for (uint64_t i = 0; i < 64; ++i) table.emplace_back(12, i * i);
  add_output(dag, "y", add_lut(dag, add_input(dag, "a", 6), table));
  return dag;
}

TEST(Wave, TablesBecomePlanes) {
  expect_wave(square_table(), "plane");
}

TEST(Wave, OtherLogicBecomesARowLayout) {
  expect_wave(dag_of("input a 20\ninput b 20\nx:20 = xnor a b\nc:5 = popcount x\nt = constant 5 0xb\nl:1 = less c t\noutput y l\n"),
              "row-layout");
}

TEST(Wave, SumOfFourWords) {
  expect_wave(dag_of("input a 4\ninput b 4\ninput c 4\ninput d 4\ne:5 = add a b\nf:5 = add c d\ng:6 = add e f\noutput y g\n"),
              "row-layout");
}

TEST(Wave, EpflCircuits) {
  if (!std::filesystem::exists(std::filesystem::path(BITGRID_SHARED_CASES) / "epfl")) GTEST_SKIP() << "the shared circuits are absent";
  const std::pair<const char*, const char*> circuits[] = {{"adder", "ripple"},   {"ctrl", "plane"},         {"int2float", "plane"},
                                                          {"cavlc", "plane"},    {"dec", "plane"},          {"router", "row-layout"},
                                                          {"i2c", "row-layout"}, {"priority", "row-layout"}};
  for (const auto& [name, strategy] : circuits) {
    SCOPED_TRACE(name);
    expect_wave(synthesis::dag_from_cover(frontend::read_blif(std::string(BITGRID_SHARED_CASES) + "/epfl/" + name + ".blif")), strategy);
  }
}

// One kernel for each of the two to win, so that neither the first nor the last candidate is always taken.
TEST(Wave, ChoosesTheSmallerOfPlaneAndRowLayout) {
  const std::pair<Dag, const char*> kernels[] = {
      {square_table(), "plane"}, {dag_of("input a 7\nc:3 = popcount a\nt = constant 3 0x3\nl:1 = less c t\noutput y l\n"), "row-layout"}};
  for (const auto& [dag, smaller] : kernels) {
    KernelReport report;
    const MappedKernel kernel = map_kernel(synthesis::kernel_of(dag), in_wave_mode(), &report);
    std::map<std::string, int64_t> cells;
    for (const auto& c : report.candidates)
      if (c.cells) cells[c.strategy] = *c.cells;
    ASSERT_THAT(cells, testing::UnorderedElementsAre(testing::Key("plane"), testing::Key("row-layout")));
    EXPECT_EQ(cells["plane"] < cells["row-layout"] ? "plane" : "row-layout", std::string(smaller));
    EXPECT_EQ(kernel.strategy, smaller);
    EXPECT_EQ(static_cast<int64_t>(kernel.grid.cells.size()), cells[smaller]);
  }
}

TEST(Wave, SaysWhyNotAndWhatSettleModeTakes) {
  try {
    map_kernel(
        synthesis::kernel_of(dag_of(
            "input a 2000\ninput b 2000\ns:2000 = add a b\nt:2000 = subtract a b\nx:2000 = and s t\nc:11 = popcount x\noutput y c\n")),
        in_wave_mode());
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                testing::StartsWith("kernel test: wave mode (II = 1) would take more than 1000000 cells: the logic is not a ripple"));
    EXPECT_THAT(e.what(), testing::HasSubstr("nor a table of at most 12 input bits (it has 4000)"));
    EXPECT_THAT(e.what(), testing::ContainsRegex("use --mode settle: [0-9]+ LUT4s, about [0-9]+ cells, an invocation every [0-9]+ cycles"));
  }
}

TEST(Wave, NoOutputsAreRefused) {
  EXPECT_THROW(map_kernel(synthesis::kernel_of(dag_of("input a 2\n")), in_wave_mode()), Error);
}

MappedKernel map_one(const std::string& body, MapMode mode, Optimize optimize = Optimize::kArea) {
  MapParams params;
  params.mode = mode;
  params.optimize = optimize;
  Kernel kernel;
  kernel.name = "test";
  kernel.dag = dag_of(body);
  return map_kernel(kernel, params);
}

TEST(Wave, AutoTakesItWhereItIsSmall) {
  const std::string adder = "input a 8\ninput b 8\ns:9 = add a b\noutput y s\n";
  const std::string match = "input a 48\ninput b 48\nx:48 = xnor a b\nc:6 = popcount x\noutput y c\n";
  EXPECT_EQ(map_one(adder, MapMode::kAuto).strategy, "ripple");
  EXPECT_EQ(map_one(adder, MapMode::kSettle).strategy, "ripple");
  EXPECT_EQ(map_one(match, MapMode::kAuto).strategy, "netlist");
  EXPECT_EQ(map_one(match, MapMode::kAuto, Optimize::kThroughput).strategy, "row-layout");
}

}  // namespace
}  // namespace bitgrid::mapping
