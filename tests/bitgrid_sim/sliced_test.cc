#include "bitgrid_sim/sliced.h"

#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/scalar.h"
#include "ir/error.h"

namespace bitgrid {
namespace {

/// Random words; `kind` 0: any, 1: wires, 2: mostly idle.
CellWord random_word(std::mt19937_64& random, int kind) {
  if (kind == 1) return cell_word({kCopy[random() & 3], kCopy[random() & 3], kCopy[random() & 3], kCopy[random() & 3]});
  return kind == 2 && random() % 700 != 0 ? 0 : random();
}

struct Case {
  int width;
  int height;
};

class SlicedSizes : public testing::TestWithParam<Case> {};

/// Both engines on the same grid, borders and changes of cells, compared after each phase.
void compare(int width, int height, int kind, SimdTarget target, uint64_t seed) {
  std::mt19937_64 random(seed);
  GridConfig config(width, height);
  for (CellWord& word : config.cells) word = random_word(random, kind);
  SlicedGrid sliced(config, target);
  GridState state(width, height);
  BorderBits in(width, height);
  for (int phase = 0; phase < 200; ++phase) {
    for (const Side side : kSides) {
      for (int p = 0; p < ports_of(side, width, height); ++p) {
        in.at(side, p) = random() & 1u;
        if (in.at(side, p)) sliced.drive(sliced.input_port(side, p));
      }
    }
    if (phase % 3 == 0) {
      const int x = static_cast<int>(random() % static_cast<uint64_t>(width)),
                y = static_cast<int>(random() % static_cast<uint64_t>(height));
      config.at(x, y) = random() % 4 ? random_word(random, kind) : 0;
      sliced.set_cell(x, y, config.at(x, y));
    }
    step(config, state, phase, in);
    sliced.step(phase);
    ASSERT_EQ(sliced.state(), state) << width << " x " << height << ", kind " << kind << ", phase " << phase;
    const BorderBits out = border_outputs(state);
    for (const Side side : kSides) {
      for (int p = 0; p < ports_of(side, width, height); ++p) ASSERT_EQ(sliced.sample(sliced.output_port(side, p)), out.at(side, p));
    }
  }
}

TEST_P(SlicedSizes, EqualsScalarInEveryPhase) {
  const auto [width, height] = GetParam();
  for (int kind = 0; kind < 3; ++kind) compare(width, height, kind, SimdTarget::kAuto, static_cast<uint64_t>(100 * width + height + kind));
}

INSTANTIATE_TEST_SUITE_P(Sizes, SlicedSizes,
                         testing::Values(Case{1, 1}, Case{1, 9}, Case{9, 1}, Case{2, 2}, Case{3, 3}, Case{63, 5}, Case{64, 6},
                                         Case{65, 129}, Case{127, 4}, Case{1, 200}, Case{200, 1}, Case{513, 2}, Case{4, 300}),
                         [](const auto& suite) { return std::to_string(suite.param.width) + "x" + std::to_string(suite.param.height); });

TEST(Sliced, EveryTargetEqualsScalar) {
  for (const SimdTarget target : {SimdTarget::kPortable, SimdTarget::kAvx2, SimdTarget::kAvx512}) {
    try {
      SlicedGrid probe(GridConfig(1, 1), target);
    } catch (const Error&) {
      continue;  // this machine lacks it
    }
    for (int kind = 0; kind < 3; ++kind) compare(61, 37, kind, target, 5);
  }
}

TEST(Sliced, EveryTruthTableOfOneCell) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 500; ++round) {
    const CellWord word = random();
    GridConfig config(1, 1);
    config.cells[0] = word;
    SlicedGrid grid(config);
    for (unsigned inputs = 0; inputs < 16; ++inputs) {
      for (const Side side : kSides) {
        if ((inputs >> static_cast<unsigned>(side)) & 1u) grid.drive(grid.input_port(side, 0));
      }
      grid.step(0);
      ASSERT_EQ(grid.state().outputs[0], (word >> (4 * inputs)) & 15u);
    }
  }
}

TEST(Sliced, StateGoesInAndOut) {
  std::mt19937_64 random(4);
  GridConfig config(70, 20);
  config.at(3, 3) = random();
  GridState state(70, 20);
  for (uint8_t& o : state.outputs) o = random() & 15u;
  SlicedGrid grid(config);
  grid.set_state(state);
  EXPECT_EQ(grid.state(), state);
  const BorderBits silent(70, 20);
  for (int phase = 0; phase < 4; ++phase) {
    step(config, state, phase, silent);
    grid.step(phase);
    EXPECT_EQ(grid.state(), state);
  }
}

TEST(Sliced, IdleBlocksAreNotEvaluated) {
  GridConfig config(200, 200);
  EXPECT_EQ(SlicedGrid(config).active_blocks(), 0u);
  config.at(100, 100) = 1;
  EXPECT_EQ(SlicedGrid(config).active_blocks(), 1u);
}

TEST(Scalar, SignalMovesOneCellAPhase) {
  GridConfig config(4, 1);
  for (CellWord& word : config.cells) word = 0xFB73EA62D951C840u;
  GridState state(4, 1);
  BorderBits in(4, 1);
  in.at(Side::W, 0) = 1;
  for (int phase = 0; phase < 4; ++phase) {
    EXPECT_EQ(border_outputs(state).at(Side::E, 0), 0);
    step(config, state, phase, in);
    EXPECT_TRUE(state.output(phase, 0, Side::E));
  }
  EXPECT_EQ(border_outputs(state).at(Side::E, 0), 1);
}

}  // namespace
}  // namespace bitgrid
