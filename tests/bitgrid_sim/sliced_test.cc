#include "bitgrid_sim/sliced.h"

#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/scalar.h"
#include "ir/error.h"

namespace bitgrid::sim {
namespace {

/// Random words; `kind` 0: any, 1: wires, 2: mostly idle, 3: the same few functions of one to three inputs everywhere.
CellWord random_cell(std::mt19937_64& random, int kind) {
  if (kind == 3) {
    const Lut sum = kFromN ^ kFromE ^ kFromW, carry = (kFromN & kFromE) | (kFromN & kFromW) | (kFromE & kFromW);
    return random() % 2 ? cell_word({carry, sum, kFromS, 0xFFFF}) : cell_word({0, kFromW, kFromN, static_cast<Lut>(kFromN & kFromS)});
  }
  if (kind == 1) return cell_word({kCopy[random() & 3], kCopy[random() & 3], kCopy[random() & 3], kCopy[random() & 3]});
  return kind == 2 && random() % 700 != 0 ? 0 : random();
}

struct Case {
  int width;
  int height;
  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.width << "x" << c.height; }
};

class SlicedSizes : public testing::TestWithParam<Case> {};

/// Both engines on the same grid, borders and changes of cells, compared after each phase.
void compare(int width, int height, int kind, SimdTarget target, uint64_t seed) {
  std::mt19937_64 random(seed);
  GridConfig config(width, height);
  for (CellWord& word : config.cells) word = random_cell(random, kind);
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
      config.at(x, y) = random() % 4 ? random_cell(random, kind) : 0;
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
  for (int kind = 0; kind < 4; ++kind) compare(width, height, kind, SimdTarget::kAuto, static_cast<uint64_t>(100 * width + height + kind));
}

INSTANTIATE_TEST_SUITE_P(Sizes, SlicedSizes,
                         testing::Values(Case{1, 1}, Case{1, 9}, Case{9, 1}, Case{2, 2}, Case{3, 3}, Case{63, 5}, Case{64, 6},
                                         Case{65, 129}, Case{127, 4}, Case{1, 200}, Case{200, 1}, Case{513, 2}, Case{4, 300}),
                         testing::PrintToStringParamName());

TEST(Sliced, EveryTargetEqualsScalar) {
  for (const SimdTarget target : kSimdTargets) {
    if (!has_target(target)) continue;
    for (int kind = 0; kind < 4; ++kind) compare(61, 37, kind, target, 5);
    EXPECT_EQ(SlicedGrid(GridConfig(1, 1), target).target(), to_string(target));
  }
}

TEST(Sliced, EveryTruthTableOfOneCell) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 1200; ++round) {
    const SimdTarget target = kSimdTargets[round % 4];
    if (!has_target(target)) continue;
    const CellWord word = round % 3 ? random() & random() & random() : random();  // many and few monomials
    GridConfig config(1, 1);
    config.cells[0] = word;
    SlicedGrid grid(config, target);
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

TEST(Sliced, RowsGoFromGridToGrid) {
  std::mt19937_64 random(6);
  for (const int width : {1, 2, 63, 64, 127, 128, 129, 1100}) {
    GridState state(width, 9);
    for (uint8_t& o : state.outputs) o = random() & 15u;
    SlicedGrid from(GridConfig(width, 9)), to(GridConfig(width, 13));
    from.set_state(state);
    std::vector<uint64_t> words(SlicedGrid::row_words(width));
    for (int y = 0; y < 9; ++y) {
      from.row_latches(y, words.data());
      to.set_row(y + 2, words.data());
    }
    const GridState got = to.state();
    for (int y = 0; y < 13; ++y) {
      for (int x = 0; x < width; ++x) {
        const uint8_t expected = y < 2 || y > 10 ? 0 : state.outputs[state.index(x, y - 2)];
        ASSERT_EQ(got.outputs[got.index(x, y)], expected) << width << ": " << x << ", " << y;
      }
    }
    to.step(0);
    to.step(1);
    EXPECT_EQ(to.state(), GridState(width, 13));  // idle cells latch zeros
  }
}

TEST(Sliced, IdleBlocksAreNotEvaluated) {
  GridConfig config(200, 200);
  EXPECT_EQ(SlicedGrid(config).active_blocks(), 0u);
  config.at(100, 100) = 1;
  EXPECT_EQ(SlicedGrid(config).active_blocks(), 1u);
}

/// Runs of many lengths, each compared with single steps: samples of every output port in every phase, and the state at the end.
void compare_run(int width, int height, int kind, const SlicedGrid::RunParams& params, uint64_t seed) {
  std::mt19937_64 random(seed);
  GridConfig config(width, height);
  for (CellWord& word : config.cells) word = random_cell(random, kind);
  SlicedGrid swept(config), stepped(config);
  int64_t phase = 0;
  for (const int64_t count : {1, 2, 7, 70}) {
    std::vector<SlicedGrid::Event> drives, samples, expected;
    for (int64_t k = phase; k < phase + count; ++k) {
      for (const Side side : kSides) {
        for (int p = 0; p < ports_of(side, width, height); ++p) {
          if (random() % 3 == 0) drives.push_back({k, swept.input_port(side, p), false});
          samples.push_back({k, swept.output_port(side, p), false});
        }
      }
    }
    swept.run(phase, count, drives, samples, params);
    size_t at = 0, drive = 0;
    for (; phase < samples.back().phase + 1; ++phase) {
      for (; drive < drives.size() && drives[drive].phase == phase; ++drive) stepped.drive(drives[drive].port);
      stepped.step(static_cast<int>(phase & 1));
      for (; at < samples.size() && samples[at].phase == phase; ++at) ASSERT_EQ(samples[at].bit, stepped.sample(samples[at].port)) << phase;
    }
    ASSERT_EQ(swept.state(), stepped.state()) << width << " x " << height << ", kind " << kind;
  }
}

TEST(SlicedRun, SweepsEqualSteps) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 700}, {900, 3}, {63, 70}, {130, 257}, {257, 130}, {3000, 5}}) {
    for (const int64_t sweep : {0, 1, 5, 64}) {
      for (const size_t chunk : {0, 1, 3})
        compare_run(width, height, static_cast<int>(chunk), {1, sweep, chunk}, static_cast<uint64_t>(sweep));
    }
  }
}

TEST(SlicedRun, ThreadsEqualSteps) {
  compare_run(400, 330, 0, {2, 9, 0}, 1);
  compare_run(1030, 150, 1, {3, 0, 4}, 2);
}

/// Several stimuli of one grid, each compared with a grid of its own: step by step, and in sweeps.
TEST(SlicedRun, StimuliAreIndependent) {
  std::mt19937_64 random(9);
  const int width = 150, height = 41;
  GridConfig config(width, height);
  for (CellWord& word : config.cells) word = random_cell(random, static_cast<int>(random() % 2) * 3);
  for (const SimdTarget target : kSimdTargets) {
    if (!has_target(target)) continue;
    SlicedGrid batch(width, height, frontend::grid_source(config).row, target, 3);
    std::vector<SlicedGrid> single;
    for (size_t s = 0; s < 3; ++s) single.emplace_back(config, target);
    std::vector<SlicedGrid::Event> drives, samples;
    for (int64_t phase = 0; phase < 60; ++phase) {
      for (size_t s = 0; s < 3; ++s) {
        for (const Side side : kSides) {
          for (int p = 0; p < ports_of(side, width, height); ++p) {
            if (random() % 2) {
              if (phase < 10) batch.drive(batch.input_port(side, p, s));
              if (phase >= 10) drives.push_back({phase, batch.input_port(side, p, s), true});
              single[s].drive(single[s].input_port(side, p));
            }
          }
        }
        single[s].step(static_cast<int>(phase % 2));
        samples.push_back({phase, batch.output_port(Side::E, 7, s), single[s].sample(single[s].output_port(Side::E, 7))});
      }
      if (phase < 10) batch.step(static_cast<int>(phase % 2));
    }
    samples.erase(samples.begin(), samples.begin() + 30);
    std::vector<SlicedGrid::Event> got = samples;
    batch.run(10, 50, drives, got, {1, 7, 2});
    for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].bit, samples[i].bit);
    for (size_t s = 0; s < 3; ++s) EXPECT_EQ(batch.state(s), single[s].state()) << s;
    EXPECT_NE(batch.state(0), batch.state(1));
  }
}

TEST(Sliced, RowSourceMakesTheSameGrid) {
  std::mt19937_64 random(8);
  GridConfig config(37, 21);
  for (CellWord& word : config.cells) word = random_cell(random, static_cast<int>(random() % 3));
  const SlicedGrid grid(37, 21, [&](int y, std::span<CellWord> row) {
    for (int x = 0; x < 37; ++x) row[static_cast<size_t>(x)] = config.at(x, y);
  });
  for (int y = 0; y < 21; ++y) {
    for (int x = 0; x < 37; ++x) ASSERT_EQ(grid.cell(x, y), config.at(x, y));
  }
}

TEST(Sliced, SimpleFunctionsTakeLittleMemory) {
  const auto bytes = [](CellWord word) {
    GridConfig config(500, 500);
    for (CellWord& w : config.cells) w = word;
    return static_cast<double>(SlicedGrid(config).memory()) / static_cast<double>(config.cells.size());
  };
  EXPECT_LT(bytes(0xFB73EA62D951C840u), 1.3);  // one plane a side and half a byte of state
  EXPECT_LT(bytes(0x123456789ABCDEF1u), 9.0);
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
}  // namespace bitgrid::sim
