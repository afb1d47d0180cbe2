// Kernels whose outputs are inputs, their complements and constants.
#include "lowering/mapping/arrays/wires.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "check/verify_kernel.h"
#include "ir/dag.h"
#include "ir/kernel_defects.h"
#include "lowering/mapping/map.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "tests/lowering/netlist_support.h"
#include "tests/support/errors.h"

namespace bitgrid::mapping {
namespace {

/// `n` outputs, each an input, the complement of one, or a constant; some inputs are read often, some never.
Dag random_wires(uint32_t n, std::mt19937_64& random) {
  std::string text = "dag test\ninput a " + std::to_string(n) + "\nn:" + std::to_string(n) + " = not a\nc = constant 2 0x2\n";
  for (uint32_t o = 0; o < n; ++o) {
    const uint64_t choice = random() % 8;
    const std::string source = choice < 4 ? "a" : choice < 6 ? "n" : "c";
    const uint64_t bit = random() % (source == "c" ? 2 : n);
    text += "b" + std::to_string(o) + ":1 = slice " + source + " " + std::to_string(bit) + "\noutput y" + std::to_string(o) + " b" +
            std::to_string(o) + "\n";
  }
  return parse_dag(text);
}

TEST(Wires, OneRowOfTwoACell) {
  const auto mapped = map_wires(synthesis::logic_graph(dag_of("input a 10\noutput y a\n")));
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->grid.width, 5);
  EXPECT_EQ(mapped->grid.height, 1);
  EXPECT_EQ(mapped->ii, 1);
  EXPECT_EQ(mapped->strategy, "wires");
}

TEST(Wires, OutputsAreWhatTheDagSaysFromTheFirstInvocation) {
  std::mt19937_64 random(1);
  for (uint32_t n = 1; n < 60; ++n) {
    const Kernel kernel = synthesis::kernel_of(random_wires(n, random));
    const auto mapped = map_wires(synthesis::logic_graph(kernel.dag));
    ASSERT_TRUE(mapped) << print(kernel.dag);
    verify(*mapped);
    ASSERT_EQ(check::verify_mapping(kernel, *mapped), std::nullopt) << print(kernel.dag);
  }
}

TEST(Wires, AroundDefects) {
  std::mt19937_64 random(2);
  for (int n = 1; n < 30; ++n) {
    const Dag dag = random_wires(40, random);
    const Defects defects = random_defects(100, 1, 0.1, 0.1, random);
    const auto mapped = map_wires(synthesis::logic_graph(dag), defects);
    ASSERT_TRUE(mapped);
    verify(*mapped);
    EXPECT_FALSE(first_defect_used(*mapped, defects));
    sim::KernelSimulatorParams params;
    params.defects = defects;
    const BitMatrix batch = random_batch(100, 40, 3);
    EXPECT_EQ(sim::KernelSimulator(*mapped, params).run(batch), evaluate(dag, batch));
  }
}

TEST(Wires, EveryModeTakesThem) {
  const Kernel kernel = synthesis::kernel_of(dag_of("input a 3\nn:3 = not a\noutput y n\n"));
  for (const MapMode mode : {MapMode::kAuto, MapMode::kWave, MapMode::kSettle}) {
    MapParams params;
    params.mode = mode;
    EXPECT_EQ(map_kernel(kernel, params).strategy, "wires");
  }
}

TEST(Wires, LogicIsNoWire) {
  EXPECT_FALSE(
      map_wires(synthesis::logic_graph(dag_of("input a 2\nb:1 = slice a 0\nc:1 = slice a 1\nd:1 = and b c\noutput y a\noutput z d\n"))));
}

TEST(Wires, GatesThatFoldAwayAreWires) {
  EXPECT_TRUE(map_wires(synthesis::logic_graph(dag_of("input a 4\nb:4 = xor a a\nc:4 = or a b\noutput y b\noutput z c\n"))));
}

TEST(Wires, AsManyAsAPortHasBits) {
  const auto mapped = map_wires(synthesis::logic_graph(dag_of("input a 65536\noutput y a\n")));
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->grid.width, 32768);
}

TEST(Wires, MoreThanARowTakesAreRefused) {
  std::string text = "input a 65536\ninput b 65536\ninput c 65536\noutput x a\noutput y b\noutput z c\n";
  EXPECT_THAT(test::error_of([&] { return map_wires(synthesis::logic_graph(dag_of(text))); }),
              testing::HasSubstr("its 196608 output and 196608 input bits need a row of"));
}

}  // namespace
}  // namespace bitgrid::mapping
