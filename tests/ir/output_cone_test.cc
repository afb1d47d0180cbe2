#include "ir/output_cone.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace bitgrid {
namespace {

/// A constant 1 that runs east through `cells` cells and leaves in `phase`.
MappedKernel constant_kernel(int cells, int phase) {
  MappedKernel k;
  k.name = "late";
  k.grid = GridConfig(cells, 1);
  k.grid.at(0, 0) = cell_word({0, 0xFFFF, 0, 0});
  for (int x = 1; x < cells; ++x) k.grid.at(x, 0) = cell_word({0, kFromW, 0, 0});
  k.output_bits = 1;
  k.outputs = {{Side::E, 0, phase}};
  return k;
}

TEST(OutputCone, EdgesStandBehindWhatTheyReadWithTheirPhases) {
  const OutputCone cone = output_cone(constant_kernel(3, 0));
  ASSERT_EQ(cone.edges.size(), 3u);
  EXPECT_FALSE(cone.cyclic);
  for (uint32_t x = 0; x < 3; ++x) {
    EXPECT_EQ(cone.edges[x].id, 4 * x + 1);
    EXPECT_EQ(cone.edges[x].first, static_cast<int64_t>(x) - 2);
  }
}

TEST(OutputCone, AConstantNeedsAPhaseACell) {
  EXPECT_EQ(needed_lead(constant_kernel(3, 0)), 1);
  EXPECT_EQ(needed_lead(constant_kernel(4, 1)), 1);
  EXPECT_EQ(needed_lead(constant_kernel(6, 1)), 2);
  EXPECT_EQ(needed_lead(constant_kernel(6, 5)), 0);
}

TEST(OutputCone, APortThatNothingDrivesIsAConstantToo) {
  MappedKernel k = constant_kernel(3, 0);
  k.grid.at(0, 0) = cell_word({0, kFromW, 0, 0});
  EXPECT_EQ(needed_lead(k), 1);
}

TEST(OutputCone, ASlotBeforePhase0IsALead) {
  MappedKernel k = constant_kernel(3, 0);
  k.input_bits = 1;
  k.inputs = {{0, {Side::N, 0, -2}, 1}};
  EXPECT_EQ(needed_lead(k), 0);
}

TEST(OutputCone, WhatNoOutputDependsOnNeedsNoLead) {
  MappedKernel k = constant_kernel(3, 0);
  k.grid.at(2, 0) = cell_word({0, 0, 0, kFromW});
  EXPECT_EQ(needed_lead(k), 0);
}

TEST(OutputCone, EitherWordOfAResidentCellCounts) {
  MappedKernel k = constant_kernel(3, 0);
  k.input_bits = 1;
  k.residents = {{0, 2, 0, 0, k.grid.at(2, 0)}};
  k.grid.at(2, 0) = 0;
  EXPECT_EQ(needed_lead(k), 1);
}

TEST(OutputCone, LoopsAreLeftToTheMapper) {
  MappedKernel k = constant_kernel(3, 0);
  k.grid.at(0, 0) = cell_word({0, kFromE, 0, 0});
  k.grid.at(1, 0) = cell_word({0, kFromW, 0, kFromW});
  EXPECT_TRUE(output_cone(k).cyclic);
  EXPECT_EQ(needed_lead(k), std::nullopt);
}

TEST(OutputCone, RaiseLeadNeverLowersIt) {
  MappedKernel k = constant_kernel(6, 1);
  raise_lead(k);
  EXPECT_EQ(k.lead_cycles, 2);
  k.lead_cycles = 7;
  raise_lead(k);
  EXPECT_EQ(k.lead_cycles, 7);
}

TEST(OutputCone, VerifyRefusesALeadThatIsTooShort) {
  MappedKernel k = constant_kernel(6, 1);
  k.lead_cycles = 1;
  EXPECT_EQ(test::error_of([&] { verify(k); }),
            "kernel 'late': the first invocation reads what cell (0, 0) E latches in phase -4, and the grid starts in phase -2; raise "
            "lead_cycles from 1 to 2");
  k.lead_cycles = 2;
  EXPECT_EQ(test::error_of([&] { verify(k); }), "no error");
}

}  // namespace
}  // namespace bitgrid
