// The table of strategies, and choosing among them.
#include "lowering/mapping/strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "check/verify_kernel.h"
#include "ir/dag.h"
#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::mapping {
namespace {

using testing::HasSubstr;

Kernel kernel(const std::string& body) {
  return synthesis::kernel_of(parse_dag("dag test\n" + body));
}

const char kAdder[] = "input a 4\ninput b 4\ns:5 = add a b\noutput y s\n";
const char kCountText[] = "input a 8\nc:4 = popcount a\noutput y c\n";
const char kWire[] = "input a 4\noutput y a\n";
const char kLogic[] = "input a 6\ninput b 4\nc:6 = and a b\nd:4 = popcount c\noutput y d\noutput z c\n";

MapParams by(const std::string& strategy) {
  MapParams params;
  params.strategy = strategy;
  params.effort = Effort::kFast;
  return params;
}

TEST(Strategies, NamesAreUniqueAndListed) {
  std::set<std::string> names;
  for (const Strategy& s : strategies()) {
    EXPECT_TRUE(names.insert(s.name).second) << s.name;
    EXPECT_THAT(list_strategies(), HasSubstr("  " + s.name + " "));
  }
}

TEST(Strategies, UnknownNamesListTheTable) {
  EXPECT_THAT(test::error_of([] { find_strategy("plain"); }),
              testing::StartsWith("--strategy: unknown strategy 'plain'; choose one of bit-serial, "));
}

/// Forced, each takes what it is for, under its own name, and computes what the Dag says.
TEST(Strategies, EachComputesWhatTheDagSays) {
  std::set<std::string> taken;
  for (const char* body : {kAdder, kCountText, kWire, kLogic}) {
    const Kernel k = kernel(body);
    const MapParams params = by("");
    const MappingProblem problem(k, params);
    for (const Strategy& s : strategies()) {
      const Attempt attempt = s.map(problem, {}, nullptr);
      const auto* mapped = std::get_if<MappedKernel>(&attempt);
      if (!mapped) continue;
      taken.insert(s.name);
      EXPECT_EQ(mapped->strategy, s.name);
      EXPECT_EQ(check::verify_mapping(k, *mapped), std::nullopt) << s.name << "\n" << body;
      EXPECT_EQ(map_kernel(k, by(s.name)).grid, mapped->grid);
    }
  }
  EXPECT_EQ(taken, (std::set<std::string>{"wires", "ripple", "counter", "plane", "row-layout", "folded-plane", "netlist"}));
}

TEST(Strategies, ARefusalSaysWhyAndWhatToChange) {
  EXPECT_EQ(test::error_of([] { map_kernel(kernel(kAdder), by("counter")); }),
            "kernel test: strategy counter: the outputs are not the count of all inputs; choose another --strategy, or leave it out");
  EXPECT_EQ(test::error_of([] { map_kernel(kernel("input a 20\nc:5 = popcount a\noutput y c\n"), by("plane")); }),
            "kernel test: strategy plane: takes tables of 1 to 12 input bits (it has 20); choose another --strategy, or leave it out");
}

TEST(Strategies, OneForLogicLeavesMatricesAlone) {
  const Program program = numerics::lower(tiny_model());
  for (const MappedKernel& mapped : map_kernels(program, by("netlist"))) EXPECT_EQ(mapped.strategy, "bit-serial") << mapped.name;
}

TEST(Strategies, OneForMatricesIsTakenByAllThatHaveTheForm) {
  TinyParams tiny;
  tiny.values = WeightValues::kBinary;
  tiny.input_bits = 1;
  tiny.layers = {TinyParams::Block::kLinearSign};
  const Program program = numerics::lower(tiny_model(tiny));
  for (const char* name : {"popcount-wave", "popcount-ii2", "sum-difference", "bit-serial"}) {
    const Kernel& layer = program.kernels[1];
    ASSERT_TRUE(layer.form.parallel) << layer.name;
    const MappedKernel mapped = map_kernel(layer, by(name));
    EXPECT_EQ(mapped.strategy, name);
    EXPECT_EQ(check::verify_mapping(layer, mapped), std::nullopt) << name;
  }
  EXPECT_THAT(
      test::error_of([&] { map_kernel(program.kernels[0], by("popcount-wave")); }),
      HasSubstr("strategy popcount-wave: takes one-bit inputs, weights of -1, 0 and 1, and rows that end in a sign; use bit-serial"));
}

TEST(Strategies, WhatLiesAsAWholeRefusesABadCellThatItUses) {
  const Kernel gate = kernel("input a 1\ninput b 1\nc:1 = and a b\noutput y c\n");
  MapParams params = by("folded-plane");
  params.defects = {{{0, 0}}, {}};
  EXPECT_THAT(
      test::error_of([&] { map_kernel(gate, params); }),
      testing::ContainsRegex("strategy folded-plane: has a fixed layout of [0-9]+ x [0-9]+ cells, and output [NESW] of cell .0, 0. is bad; "
                             "use a tile that is good there"));
}

/// A strategy that no folder of the program knows: takes kernels of one output bit, as a netlist under another name.
Attempt map_toy(const MappingProblem& problem, const Rival&, NetlistStats*) {
  if (output_bits(problem.kernel.dag) != 1) return Refusal{"has more than one output", "take away the others"};
  MappedKernel toy = std::get<MappedKernel>(find_strategy("netlist").map(problem, {}, nullptr));
  toy.strategy = "toy";
  return toy;
}

TEST(Strategies, OneFromOutsideTakesPartInTheChoice) {
  std::vector<Strategy> table = strategies();
  table.insert(table.begin(), {"toy", "one output", StrategyKind::kTrivial, AmongDefects::kPlaces, nullptr, map_toy});
  MapParams params = by("");
  params.table = &table;
  EXPECT_EQ(map_kernel(kernel("input a 2\nb:1 = popcount a\noutput y b\n"), params).strategy, "toy");
  EXPECT_EQ(map_kernel(kernel(kAdder), params).strategy, "ripple");
  params.strategy = "toy";
  EXPECT_EQ(test::error_of([&] { map_kernel(kernel(kAdder), params); }),
            "kernel test: strategy toy: has more than one output; take away the others");
}

TEST(Strategies, CandidatesAreReported) {
  KernelReport report;
  MapParams params = by("");
  params.mode = MapMode::kWave;
  map_kernel(kernel(kLogic), params, &report);
  std::vector<std::string> tried;
  for (const auto& c : report.candidates) tried.push_back(c.strategy + (c.cells ? "" : ": " + c.refusal));
  EXPECT_THAT(tried,
              testing::ElementsAre(HasSubstr("wires: some output"), HasSubstr("ripple: the logic"), HasSubstr("counter: the outputs"),
                                   HasSubstr("multiplier: the outputs"), "row-layout", HasSubstr("plane")));
}

}  // namespace
}  // namespace bitgrid::mapping
