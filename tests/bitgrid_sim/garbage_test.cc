#include "bitgrid_sim/garbage.h"

#include <gtest/gtest.h>

#include "bitgrid_sim/kernel_simulator.h"
#include "tests/bitgrid_sim/named_engine.h"

namespace bitgrid::sim {
namespace {

/// Two wires of three cells from west to east.
MappedKernel wires() {
  MappedKernel k;
  k.name = "wires";
  k.strategy = "bit-serial";
  k.grid = GridConfig(3, 2);
  for (CellWord& cell : k.grid.cells) cell = cell_word({0, kFromW, 0, 0});
  k.input_bits = k.output_bits = 2;
  for (int y = 0; y < 2; ++y) {
    k.inputs.push_back({static_cast<uint32_t>(y), {Side::W, y, y}, 1});
    k.outputs.push_back({Side::E, y, y + 2});
  }
  return k;
}

class Garbage : public testing::TestWithParam<NamedEngine> {};

TEST_P(Garbage, OnlyWhatPassesADefectIsRandom) {
  BitMatrix inputs(200, 2);
  for (size_t r = 0; r < inputs.rows; ++r) inputs.set_word(r, 0, 2, 3);
  for (const Defects& defects : {Defects{{{1, 0}}, {}}, Defects{{}, {{2, 0, Side::E}}}}) {
    KernelSimulatorParams params;
    params.engine = GetParam();
    params.defects = defects;
    const BitMatrix got = KernelSimulator(wires(), params).run(inputs);
    int ones = 0;
    for (size_t r = 0; r < got.rows; ++r) {
      ones += got.get(r, 0);
      EXPECT_TRUE(got.get(r, 1));
    }
    EXPECT_NEAR(ones, 100, 40);
  }
}

TEST_P(Garbage, UnusedOutputsDoNotMatter) {
  KernelSimulatorParams params;
  params.engine = GetParam();
  params.defects = {{{7, 7}}, {{1, 0, Side::N}}};
  BitMatrix inputs(8, 2);
  for (size_t r = 0; r < inputs.rows; ++r) inputs.set_word(r, 0, 2, r & 3);
  EXPECT_EQ(KernelSimulator(wires(), params).run(inputs), inputs);
}

INSTANTIATE_TEST_SUITE_P(Engines, Garbage, testing::Values(kScalarEngine, kSlicedEngine), testing::PrintToStringParamName());

}  // namespace
}  // namespace bitgrid::sim
