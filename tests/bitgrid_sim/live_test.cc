#include "bitgrid_sim/live.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/support/errors.h"
#include "tests/support/random_grid.h"

namespace bitgrid::sim {
namespace {

using test::random_grid;
using testing::HasSubstr;

constexpr GridEngine kEngines[] = {GridEngine::kScalar, GridEngine::kSliced, GridEngine::kLanes};

/// Writes, queues and probes (all of ports; `cells` too) of 60 cycles at random.
std::string random_script(int width, int height, bool cells, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text = "# a script\n";
  for (int i = 0; i < 20; ++i)
    text += fmt::format("write {} {} {} {:X}\n", random() % 60, random() % static_cast<uint64_t>(width),
                        random() % static_cast<uint64_t>(height), random() % 3 ? random() : 0);
  for (int p = 0; p < height; ++p) text += fmt::format("drive {}-{} w{}_in {}\n", p, 40 + p, p, p % 2 ? "0110" : "10111");
  for (int p = 0; p < width; ++p) text += fmt::format("drive {} n{}_in 1{}1\ndrive 50-59 n{}_in 1\n", 3 * p % 7, p, p & 1, p);
  for (const PortName& port : all_ports(width, height)) text += "probe " + to_string(port) + "\n";
  if (cells) text += fmt::format("probe c{}_{}_n\nprobe c0_0_w # and more\n", width / 2, height / 2);
  return text;
}

LiveResult run(const GridConfig& grid, const std::string& script, GridEngine engine, int64_t cycles, const LiveState* resume = nullptr,
               VcdWriter* vcd = nullptr, std::vector<Fault> faults = {}) {
  LiveParams params;
  params.engine = engine;
  params.cycles = cycles;
  params.vcd = vcd;
  params.faults = std::move(faults);
  return run_live(grid, parse_live(script, "s", grid.width, grid.height), resume, params);
}

TEST(Live, EnginesAgreeOnWritesQueuesAndProbes) {
  for (const auto& [width, height] : {std::pair{1, 1}, {5, 4}, {9, 2}, {40, 17}}) {
    for (const bool cells : {false, true}) {
      const GridConfig grid = random_grid(width, height, 1, 0);
      const std::string script = random_script(width, height, cells, 2);
      const LiveResult expected = run(grid, script, GridEngine::kScalar, 60);
      EXPECT_GT(expected.writes, 5u);
      for (const GridEngine engine : kEngines) {
        const LiveResult got = run(grid, script, engine, 60);
        EXPECT_EQ(got.samples, expected.samples);
        EXPECT_EQ(got.state.latches, expected.state.latches);
        EXPECT_EQ(got.state.written, expected.state.written);
      }
    }
  }
}

TEST(Live, FaultsAgreeToo) {
  const GridConfig grid = random_grid(7, 6, 3, 0);
  const std::string script = random_script(7, 6, true, 4);
  const std::vector<Fault> faults = parse_faults("stuck1 3 3\nflip 2 2 NE 10-60\nconfig 4 4 17\nstuck0 0 5 W 7\n", "f", 7, 6);
  const LiveResult expected = run(grid, script, GridEngine::kScalar, 60, nullptr, nullptr, faults);
  EXPECT_NE(expected.samples, run(grid, script, GridEngine::kScalar, 60).samples);
  for (const GridEngine engine : kEngines) EXPECT_EQ(run(grid, script, engine, 60, nullptr, nullptr, faults).samples, expected.samples);
}

TEST(Live, WrittenCellsActFromTheirCycleOn) {
  GridConfig grid(1, 1);
  grid.at(0, 0) = cell_word({0, kFromW, 0, 0});
  const std::string script = "write 3 0 0 0\nwrite 5 0 0 " + fmt::format("{:X}", cell_word({0, 0xFFFF, 0, 0})) +
                             "\ndrive 0-9 w0_in 1\nprobe e0_out\nprobe w0_in\n";
  for (const GridEngine engine : kEngines) EXPECT_THAT(run(grid, script, engine, 8).samples, testing::ElementsAre("11100111", "11111111"));
}

TEST(Live, ResumedRunsGoOnAsIfNeverStopped) {
  const GridConfig grid = random_grid(11, 8, 5, 0);
  const std::string script = random_script(11, 8, true, 6);
  const LiveResult whole = run(grid, script, GridEngine::kSliced, 60);
  for (const int64_t stop : {0, 1, 17, 59}) {
    const LiveResult first = run(grid, script, GridEngine::kScalar, stop);
    const LiveState saved = parse_live_state(print_live_state(first.state, identity_of(grid)), "s", identity_of(grid));
    EXPECT_EQ(saved.written, first.state.written);
    const LiveResult second = run(grid, script, GridEngine::kSliced, 60 - stop, &saved);
    EXPECT_EQ(second.state.latches, whole.state.latches);
    for (size_t i = 0; i < whole.samples.size(); ++i) EXPECT_EQ(first.samples[i] + second.samples[i], whole.samples[i]);
    EXPECT_EQ(print_live_state(second.state, identity_of(grid)), print_live_state(whole.state, identity_of(grid)));
  }
}

TEST(Live, WaveformShowsProbes) {
  GridConfig grid(2, 1);
  grid.at(0, 0) = cell_word({0, kFromW, 0, 0});
  const std::string script = "drive 1 w0_in 1\nprobe c0_0_e\nprobe w0_in\n";
  VcdWriter vcd({std::string("c0_0_e"), std::string("w0_in")}, "live");
  run(grid, script, GridEngine::kSliced, 3, nullptr, &vcd);
  EXPECT_THAT(vcd.text(), HasSubstr("$var wire 1 ! c0_0_e $end"));
  EXPECT_THAT(vcd.text(), HasSubstr("#2\n1!\n1\"\n#3\n0\"\n#4\n0!\n"));
}

std::string live_objection(const std::string& script) {
  return test::error_of([&] { parse_live(script, "s.txt", 4, 3); });
}

TEST(Live, MessagesNameTheLine) {
  EXPECT_EQ(live_objection("probe w0_in\nwatch w0_in\n"), "s.txt:2: 'watch' is unknown; use write, drive or probe");
  EXPECT_THAT(live_objection("write 1 4 0 0\n"), HasSubstr("s.txt:1: x is '4'; use a number from 0 to 3"));
  EXPECT_THAT(live_objection("write 1 3 0 XYZ\n"), HasSubstr("'XYZ' is not a configuration word"));
  EXPECT_THAT(live_objection("write 1 3 0\n"), HasSubstr("3 words after 'write'; write write CYCLE X Y WORD"));
  EXPECT_THAT(live_objection("drive 1 e0_out 1\n"), HasSubstr("e0_out is an output"));
  EXPECT_THAT(live_objection("drive 1 w9_in 1\n"), HasSubstr("s.txt:1: port 'w9_in': is not on the border"));
  EXPECT_THAT(live_objection("drive 1 w0_in 12\n"), HasSubstr("'12' are not bits"));
  EXPECT_THAT(live_objection("drive 5-2 w0_in 1\n"), HasSubstr("last cycle is '2'"));
  EXPECT_THAT(live_objection("drive 1-5 w0_in 1\ndrive 5 w0_in 1\n"), HasSubstr("w0_in is driven twice in cycle 5"));
  EXPECT_THAT(live_objection("probe c1_1\n"), HasSubstr("is not an output of a cell"));
  EXPECT_THAT(live_objection("probe c1_7_n\n"), HasSubstr("y is '7'"));
}

std::string state_objection(const std::string& text, const GridConfig& grid) {
  return test::error_of([&] { parse_live_state(text, "state", identity_of(grid)); });
}

TEST(Live, StatesOfOtherGridsAndDamagedOnesAreRefused) {
  const GridConfig grid = random_grid(5, 4, 7, 0), other = random_grid(5, 4, 8, 0);
  const std::string text = print_live_state(run(grid, random_script(5, 4, false, 9), GridEngine::kSliced, 60).state, identity_of(grid));
  EXPECT_EQ(state_objection(text, grid), "no error");
  EXPECT_EQ(state_objection(text, other),
            "state: the saved state belongs to another grid (5 x 4); resume with the grid file that was used when it was saved");
  std::string damaged = text;
  const size_t at = damaged.find("\"latches\":\"") + 11;
  damaged[at] = damaged[at] == '0' ? '1' : '0';
  EXPECT_THAT(state_objection(damaged, grid), HasSubstr("the saved state is damaged"));
  EXPECT_THAT(state_objection("{}", grid), HasSubstr("this is not a saved state"));
}

TEST(Live, FuzzedFilesNeverCrash) {
  const GridConfig grid = random_grid(4, 3, 10, 0);
  const std::string script = random_script(4, 3, true, 11),
                    state = print_live_state(run(grid, script, GridEngine::kSliced, 60).state, identity_of(grid));
  std::mt19937 random(12);
  for (int round = 0; round < 2000; ++round) {
    for (std::string text : {script, state}) {
      const bool is_script = text[0] == '#';
      if (random() % 4 == 0) text.resize(random() % text.size());
      for (auto flips = random() % 4; flips > 0 && !text.empty(); --flips) text[random() % text.size()] = static_cast<char>(random());
      is_script ? live_objection(text) : state_objection(text, grid);
    }
  }
}

}  // namespace
}  // namespace bitgrid::sim
