#include "lowering/mapping/netlist/map_netlist.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "frontend/blif.h"
#include "ir/error.h"
#include "ir/kernel_defects.h"
#include "tests/lowering/netlist_support.h"

namespace bitgrid::mapping {
namespace {

Dag popcount_dag(int bits) {
  return dag_of("input a " + std::to_string(bits) + "\nc:7 = popcount a\noutput y c\n");
}
Dag adder_dag() {
  return dag_of("input a 8\ninput b 8\nc:9 = add a b\noutput y c\n");
}
Dag comparator_dag() {
  return dag_of("input a 8\ninput b 8\nc:1 = less a b\noutput y c\n");
}

template <typename Source>
void expect_exact_from_ten_seeds(const Source& source, size_t inputs) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    NetlistParams params;
    params.seed = seed;
    if (seed > 1) params.effort = Effort::kFast;
    const MappedKernel kernel = map_netlist(source, params);
    const BitMatrix batch = random_batch(200, inputs, seed);
    ASSERT_EQ(run_kernel(kernel, batch), evaluate(source, batch)) << "seed " << seed;
  }
}

void expect_exact(const Dag& dag) {
  const BitMatrix batch = all_values(input_bits(dag));
  EXPECT_EQ(run_kernel(map_netlist(dag), batch), evaluate(dag, batch));
}

TEST(Netlist, Popcount32FromTenSeeds) {
  expect_exact_from_ten_seeds(popcount_dag(32), 32);
}
TEST(Netlist, Popcount64FromTenSeeds) {
  expect_exact_from_ten_seeds(popcount_dag(64), 64);
}
TEST(Netlist, AdderFromTenSeeds) {
  expect_exact_from_ten_seeds(adder_dag(), 16);
}
TEST(Netlist, ComparatorFromTenSeeds) {
  expect_exact_from_ten_seeds(comparator_dag(), 16);
}

TEST(Netlist, EpflCtrlFromTenSeeds) {
  if (!have_epfl()) GTEST_SKIP() << "the shared circuits are absent";
  expect_exact_from_ten_seeds(epfl("ctrl"), 7);
}

TEST(Netlist, EpflInt2FloatFromTenSeeds) {
  if (!have_epfl()) GTEST_SKIP() << "the shared circuits are absent";
  expect_exact_from_ten_seeds(epfl("int2float"), 11);
}

struct EpflCircuit {
  std::string name;
  double cells_a_lut;  // at most; some 15 % above what fast effort and seed 1 take
  friend void PrintTo(const EpflCircuit& c, std::ostream* out) { *out << c.name; }
};

class EpflNetlist : public testing::TestWithParam<EpflCircuit> {};

TEST_P(EpflNetlist, ClosesAtOnceAndIsExact) {
  if (!have_epfl()) GTEST_SKIP() << "the shared circuits are absent";
  const CoverNetwork source = epfl(GetParam().name);
  NetlistParams params;
  params.effort = Effort::kFast;
  NetlistStats stats;
  const MappedKernel kernel = map_netlist(source, params, &stats);
  const BitMatrix batch = random_batch(100, source.inputs.size(), 5);
  EXPECT_EQ(run_kernel(kernel, batch), evaluate(source, batch));
  EXPECT_LT(static_cast<double>(kernel.grid.cells.size()) / static_cast<double>(stats.luts), GetParam().cells_a_lut);
}

INSTANTIATE_TEST_SUITE_P(Circuits, EpflNetlist,
                         testing::Values(EpflCircuit{"adder", 6.8}, EpflCircuit{"bar", 14.6}, EpflCircuit{"cavlc", 12.2},
                                         EpflCircuit{"dec", 22.1}, EpflCircuit{"i2c", 18.8}, EpflCircuit{"max", 17.6},
                                         EpflCircuit{"priority", 16.7}, EpflCircuit{"router", 10.6}),
                         testing::PrintToStringParamName());

TEST(Netlist, AvoidsDefects) {
  NetlistParams params;
  std::mt19937_64 random(7);
  params.defects = random_defects(60, 60, 0.03, 0.01, random);
  const MappedKernel kernel = map_netlist(popcount_dag(24), params);
  EXPECT_FALSE(first_defect_used(kernel, params.defects));
  EXPECT_TRUE(first_defect_used(map_netlist(popcount_dag(24)), params.defects));
  const BitMatrix batch = random_batch(300, 24, 1);
  EXPECT_EQ(run_kernel(kernel, batch), evaluate(popcount_dag(24), batch));
}

TEST(Netlist, EffortBuysDensity) {
  NetlistParams fast, dense;
  fast.effort = Effort::kFast;
  dense.effort = Effort::kDense;
  dense.live_work = 3e4;
  const Dag dag = popcount_dag(16);
  EXPECT_LT(map_netlist(dag, dense).grid.cells.size(), map_netlist(dag, fast).grid.cells.size());
}

TEST(Netlist, EveryPairOfWordsThroughTheComparator) {
  expect_exact(comparator_dag());
}

TEST(Netlist, ConstantsWiresInvertersAndUnusedInputs) {
  expect_exact(dag_of("input a 2\ninput unused 1\nn:2 = not a\nc = constant 2 0x2\noutput w a\noutput i n\noutput k c\n"));
}

TEST(Netlist, OneGate) {
  expect_exact(dag_of("input a 1\ninput b 1\nc:1 = and a b\noutput y c\n"));
}

TEST(Netlist, ConstantsAlone) {
  const MappedKernel kernel = map_netlist(dag_of("c = constant 3 0x5\noutput y c\n"));
  const BitMatrix out = run_kernel(kernel, BitMatrix(3, 0));
  for (size_t r = 0; r < 3; ++r) EXPECT_EQ(out.get_word(r, 0, 3), 5u);
}

TEST(Netlist, InputsAreHeldForTheWholeInterval) {
  const MappedKernel kernel = map_netlist(adder_dag());
  for (const InputSlot& in : kernel.inputs) EXPECT_EQ(in.hold, kernel.ii);
}

TEST(Netlist, ASmallerIntervalIsWrong) {
  NetlistParams params;
  params.skew_inputs = false;
  const Dag dag = popcount_dag(16);
  MappedKernel kernel = map_netlist(dag, params);
  ASSERT_GT(kernel.ii, 2);
  kernel.ii -= 1;
  for (InputSlot& in : kernel.inputs) in.hold = kernel.ii;
  const BitMatrix batch = all_values(16);
  EXPECT_NE(run_kernel(kernel, batch), evaluate(dag, batch));
}

TEST(Netlist, SkewedInputsAllowASmallerInterval) {
  NetlistParams together;
  together.skew_inputs = false;
  EXPECT_LT(map_netlist(adder_dag()).ii, map_netlist(adder_dag(), together).ii);
}

TEST(Netlist, WithoutSkewInputsEnterInTheFirstCycle) {
  NetlistParams params;
  params.skew_inputs = false;
  const MappedKernel kernel = map_netlist(adder_dag(), params);
  for (const InputSlot& in : kernel.inputs) EXPECT_LT(in.slot.phase, 2);
  const BitMatrix batch = random_batch(300, 16, 1);
  EXPECT_EQ(run_kernel(kernel, batch), evaluate(adder_dag(), batch));
}

TEST(Netlist, AChangedCellIsNoticed) {
  MappedKernel kernel = map_netlist(adder_dag());
  const BitMatrix batch = all_values(16);
  const BitMatrix right = run_kernel(kernel, batch);
  const BitSlot out = kernel.outputs[3];
  const int x = out.side == Side::W ? 0 : out.side == Side::E ? kernel.grid.width - 1 : out.position;
  const int y = out.side == Side::N ? 0 : out.side == Side::S ? kernel.grid.height - 1 : out.position;
  kernel.grid.at(x, y) ^= 0x1111'1111'1111'1111u << static_cast<unsigned>(out.side);
  EXPECT_NE(run_kernel(kernel, batch), right);
}

TEST(Netlist, SameSeedGivesTheSameKernel) {
  EXPECT_EQ(map_netlist(popcount_dag(24)), map_netlist(popcount_dag(24)));
  NetlistParams other;
  other.seed = 2;
  EXPECT_NE(map_netlist(popcount_dag(24), other), map_netlist(popcount_dag(24)));
}

TEST(Netlist, StatsSayWhatHappened) {
  NetlistStats stats;
  const MappedKernel kernel = map_netlist(adder_dag(), {}, &stats);
  EXPECT_GT(stats.techmap.gates, 0u);
  EXPECT_EQ(stats.luts, 17u);
  EXPECT_LT(stats.logic_cells, stats.luts);
  EXPECT_EQ(stats.attempts.back().width, kernel.grid.width);
  EXPECT_EQ(stats.attempts.back().overuse_left, 0);
  EXPECT_GT(stats.wirelength, 0u);
}

TEST(Netlist, AKernelWithoutOutputsIsRefused) {
  LutNetwork network;
  network.name = "void";
  network.inputs = {"a"};
  try {
    map_netlist(network);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("netlist void: it has no outputs; add an output"));
  }
}

TEST(Netlist, FailureNamesNetRegionAndKnob) {
  NetlistParams params;
  params.utilisation = 1.6;
  params.max_area = 0.5;
  try {
    map_netlist(popcount_dag(64), params);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::ContainsRegex(
                              "netlist test: net from .+ at \\([0-9]+, [0-9]+\\) to .+ at \\([0-9]+, [0-9]+\\) cannot find a free edge "
                              "at .+ in a region of [0-9]+ x [0-9]+ .+ overused\\); try another --seed or --effort; "
                              "in a program, raise max_area \\(now 0.5 "));
  }
}

}  // namespace
}  // namespace bitgrid::mapping
