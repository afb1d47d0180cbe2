#include "bitgrid_sim/lanes.h"

#include <gtest/gtest.h>

#include <random>

#include "ir/error.h"

namespace bitgrid::sim {
namespace {

std::vector<LanePort> all_border_ports(int width, int height) {
  std::vector<LanePort> ports;
  for (const Side side : kSides) {
    for (int p = 0; p < ports_of(side, width, height); ++p) ports.push_back({side, p});
  }
  return ports;
}

/// Random words; `kind` 0: any, 1: wires and idle cells, 2: mostly idle.
CellWord random_word(std::mt19937_64& random, int kind) {
  const auto wire = [&] { return random() % 4 ? kCopy[random() % 4] : Lut{0}; };
  if (kind == 1) return cell_word({wire(), wire(), wire(), wire()});
  return kind == 2 && random() % 20 != 0 ? 0 : random();
}

GridConfig random_grid(int width, int height, int kind, std::mt19937_64& random) {
  GridConfig grid(width, height);
  for (CellWord& word : grid.cells) word = random_word(random, kind);
  return grid;
}

/// Random stimuli in some lanes, compared with a scalar grid for each of these after every phase.
void compare(int width, int height, int kind, size_t lanes, SimdTarget target, bool faults, uint64_t seed) {
  std::mt19937_64 random(seed);
  const GridConfig config = random_grid(width, height, kind, random);
  const std::vector<LanePort> ports = all_border_ports(width, height);
  LaneProgramParams params;
  params.driven = params.sampled = ports;
  params.all_cells = true;
  params.faults = faults;
  LaneGrid grid(compile_lanes(config, params), lanes, target);
  const std::vector<size_t> watched = {0, 1, 63, lanes - 1};
  std::vector<ScalarGrid> scalars(watched.size(), ScalarGrid(config));
  for (int phase = 0; phase < 60; ++phase) {
    for (size_t i = 0; i < ports.size(); ++i) {
      for (uint64_t& word : grid.net(grid.program().driven[i])) word = random();
      for (size_t w = 0; w < watched.size(); ++w) {
        if ((grid.net(grid.program().driven[i])[watched[w] / 64] >> (watched[w] % 64)) & 1u)
          scalars[w].drive(scalars[w].input_port(ports[i].side, ports[i].position));
      }
    }
    grid.step(phase);
    for (size_t w = 0; w < watched.size(); ++w) {
      scalars[w].step(phase);
      ASSERT_EQ(grid.state(watched[w]), scalars[w].state()) << width << " x " << height << ", kind " << kind << ", phase " << phase;
    }
  }
}

TEST(Lanes, EverySizeAndKindEqualsScalar) {
  const std::pair<int, int> sizes[] = {{1, 1}, {1, 9}, {9, 1}, {2, 2}, {3, 3}, {31, 5}, {16, 33}};
  for (const auto& [width, height] : sizes) {
    for (int kind = 0; kind < 3; ++kind) {
      compare(width, height, kind, 512, SimdTarget::kAuto, false, static_cast<uint64_t>(width + kind));
      compare(width, height, kind, 64, SimdTarget::kAuto, true, static_cast<uint64_t>(height + kind));
    }
  }
}

TEST(Lanes, EveryTargetEqualsScalar) {
  for (const SimdTarget target : kSimdTargets) {
    if (!has_target(target)) continue;
    compare(40, 30, 0, 512, target, false, 7);  // random tables of 4,800 outputs reach all canonical tables of three
  }
}

/// All tables of three operands in every operand order, on one target after the other.
TEST(Lanes, EveryCanonicalTableIsImplemented) {
  for (const SimdTarget target : kSimdTargets) {
    for (const size_t words : {size_t{1}, size_t{8}}) {
      const LaneFunction* functions = lane_functions(target, words);
      for (unsigned t = 0; t < 256; ++t) {
        const CanonicalTable c = canonical_table(static_cast<uint8_t>(t));
        EXPECT_NE(functions[lane_op::kTable3 + c.table], nullptr);
        EXPECT_NE(functions[lane_op::kMux3 + c.table], nullptr);
        for (unsigned i = 0; i < 8; ++i) {
          unsigned permuted = 0;
          for (unsigned k = 0; k < 3; ++k) permuted |= ((i >> c.order[k]) & 1u) << k;
          EXPECT_EQ((t >> i) & 1u, (c.table >> permuted) & 1u);
        }
      }
    }
  }
}

TEST(Lanes, OnlyWhatReachesASampledPortIsEvaluated) {
  GridConfig config(3, 2);
  for (CellWord& word : config.cells) word = 0xFB73EA62D951C840u;  // straight on
  LaneProgramParams params;
  params.driven = all_border_ports(3, 2);
  params.sampled = {{Side::E, 1}};
  const LaneProgram program = compile_lanes(config, params);
  EXPECT_EQ(program.operations, 3u);
  params.driven = {{Side::W, 0}};  // the sampled row now carries zeros for ever
  EXPECT_EQ(compile_lanes(config, params).operations, 0u);
  params.faults = true;
  EXPECT_EQ(compile_lanes(config, params).operations, 8u + 6u + 1u);  // every edge between two cells
}

/// Wires that cross, side by side, of all lengths, and mixed cells: what is sampled is the same in every phase.
TEST(Lanes, DelayLinesAreTheirWires) {
  std::mt19937_64 random(9);
  size_t lines = 0;
  for (int width = 1; width <= 24; ++width) {
    for (const int height : {1, 2, 5}) {
      GridConfig config(width, height);
      for (CellWord& word : config.cells) word = random() % 16 == 0 ? random() : 0xFB73EA62D951C840u;  // mostly straight on
      LaneProgramParams params;
      params.driven = params.sampled = all_border_ports(width, height);
      params.any_start = true;
      LaneGrid wires(compile_lanes(config, params), 64);
      params.delay_lines = true;
      LaneGrid rings(compile_lanes(config, params), 64);
      lines += rings.program().lines.size();
      for (int phase = 0; phase < 200; ++phase) {
        for (size_t i = 0; i < params.driven.size(); ++i)
          wires.net(wires.program().driven[i])[0] = rings.net(rings.program().driven[i])[0] = random();
        wires.step(phase);
        rings.step(phase);
        for (size_t i = 0; i < params.sampled.size() && phase > 2; ++i) {
          const auto seen = [&](const LaneGrid& grid) { return grid.net(grid.program().sampled[i])[0]; };
          ASSERT_EQ(seen(wires), seen(rings)) << width << " x " << height << ", phase " << phase << ", port " << i;
        }
      }
    }
  }
  EXPECT_GT(lines, 200u);
}

TEST(Lanes, ConstantOnesAppearWithTheFirstLatch) {
  GridConfig config(2, 1);
  config.at(0, 0) = cell_word({0, 0xFFFF, 0, 0});
  config.at(1, 0) = cell_word({0, kFromW, 0, 0});
  LaneProgramParams params;
  params.sampled = {{Side::E, 0}};
  LaneGrid grid(compile_lanes(config, params));
  for (const uint64_t expected : {0, 0, 1, 1}) {
    static int phase = 1;  // the eastern cell first: it reads the other before that has latched
    grid.step(phase++);
    EXPECT_EQ(grid.net(grid.program().sampled[0])[0] & 1u, expected);
  }
}

TEST(Lanes, ResidentWordsAreChosenLaneByLane) {
  std::mt19937_64 random(9);
  GridConfig config = random_grid(6, 5, 0, random);
  LaneProgramParams params;
  params.driven = params.sampled = all_border_ports(6, 5);
  params.all_cells = true;
  params.variables = 7;
  for (uint32_t i = 0; i < 20; ++i)
    params.residents.push_back({i % 7, static_cast<int>(i % 6), static_cast<int>(i / 6), random(), random()});
  LaneGrid grid(compile_lanes(config, params), 64);
  std::vector<ScalarGrid> scalars(64, ScalarGrid(config));
  for (uint32_t v = 0; v < 7; ++v) grid.net(grid.program().variables[v])[0] = random();
  for (const ResidentSlot& r : params.residents) {
    for (size_t lane = 0; lane < 64; ++lane)
      scalars[lane].set_cell(r.x, r.y, (grid.net(grid.program().variables[r.bit])[0] >> lane) & 1u ? r.word1 : r.word0);
  }
  for (int phase = 0; phase < 40; ++phase) {
    for (const uint32_t port : grid.program().driven) grid.net(port)[0] = ~uint64_t{0};
    grid.step(phase);
    for (size_t lane = 0; lane < 64; ++lane) {
      for (const LanePort& p : params.driven) scalars[lane].drive(scalars[lane].input_port(p.side, p.position));
      scalars[lane].step(phase);
      ASSERT_EQ(grid.state(lane), scalars[lane].state()) << phase;
    }
  }
}

TEST(Lanes, WrongPortsAndWordsAreRefused) {
  LaneProgramParams params;
  params.driven = {{Side::N, 3}};
  EXPECT_THROW(compile_lanes(GridConfig(3, 1), params), Error);
  EXPECT_THROW(LaneGrid(compile_lanes(GridConfig(3, 1), {}), 128), Error);
}

}  // namespace
}  // namespace bitgrid::sim
