#include "bitgrid_sim/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "frontend/grids/grid_io.h"
#include "ir/error.h"
#include "ir/file.h"
#include "tests/support/errors.h"

namespace bitgrid::sim {
namespace {

using testing::HasSubstr;

const std::string kCases = std::string(BITGRID_SHARED_CASES) + "/bitgrid/";
constexpr GridEngine kReplayEngines[] = {GridEngine::kScalar, GridEngine::kSliced, GridEngine::kLanes};

class OriginalTraces : public testing::TestWithParam<std::string> {};

TEST_P(OriginalTraces, ReplayBitForBitOnAllEngines) {
  if (!std::filesystem::exists(kCases)) GTEST_SKIP() << kCases << " is absent";
  const frontend::GridFile file = frontend::read_grid(kCases + GetParam() + ".grid.txt");
  const std::string expected = read_file(kCases + GetParam() + ".expected.txt");
  TraceParams params;
  for (size_t at = 0; (at = expected.find(" A\n", at)) != std::string::npos; ++at) ++params.cycles;
  ASSERT_GT(params.cycles, 0);
  for (const GridEngine engine : kReplayEngines) {
    params.engine = engine;
    EXPECT_EQ(replay_trace(file.grid, file.initial_inputs, params), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, OriginalTraces, testing::Values("constants8", "bench16"), [](const auto& suite) { return suite.param; });

frontend::GridFile random_file(int width, int height, uint64_t seed) {
  std::mt19937_64 random(seed);
  frontend::GridFile file{GridConfig(width, height), {}};
  for (CellWord& word : file.grid.cells) word = random();
  for (size_t i = 0; i < file.grid.cells.size(); ++i) file.initial_inputs.push_back(random() & 15u);
  return file;
}

TEST(Replay, EnginesAgreeOnRandomTraces) {
  for (const Borders borders : {Borders::kOpen, Borders::kTorus}) {
    for (const auto& [width, height] : {std::pair{2, 2}, {2, 8}, {16, 6}, {66, 4}, {5, 7}, {1, 1}, {1, 4}}) {
      const frontend::GridFile file = random_file(width, height, 1);
      const auto trace = [&](GridEngine engine) { return replay_trace(file.grid, file.initial_inputs, {engine, borders, 20, true}); };
      EXPECT_EQ(trace(GridEngine::kSliced), trace(GridEngine::kScalar)) << width << " x " << height;
      EXPECT_EQ(trace(GridEngine::kLanes), trace(GridEngine::kScalar)) << width << " x " << height;
    }
  }
}

TEST(Replay, CellsOfOneColourThatMeetOnAnOddTorusAreEvaluatedInPlace) {
  // One cell is its own neighbour on all sides: its east output becomes its own west input, and so on.
  GridConfig config(1, 1);
  config.cells[0] = 0xFEDCBA9876543210u;  // outputs = inputs
  EXPECT_EQ(replay_trace(config, {0x3}, {GridEngine::kSliced, Borders::kTorus, 2, true}),
            "# initial\nin\n3\nout\n0\n# cycle 1 A\nin\nC\nout\n3\n# cycle 1 B\nin\nC\nout\n3\n"
            "# cycle 2 A\nin\n3\nout\nC\n# cycle 2 B\nin\n3\nout\nC\n");
}

TEST(Replay, LastPhaseOnly) {
  const frontend::GridFile file = random_file(4, 4, 2);
  const std::string all = replay_trace(file.grid, {}, {GridEngine::kSliced, Borders::kTorus, 3, true});
  const std::string last = replay_trace(file.grid, {}, {GridEngine::kSliced, Borders::kTorus, 3, false});
  EXPECT_EQ(last, all.substr(all.find("# cycle 3 B")));
}

TEST(Replay, WrongInitialInputsAreRefused) {
  EXPECT_THROW(replay_trace(GridConfig(2, 2), {1, 2, 3}, {}), Error);
  EXPECT_THROW(replay_trace(GridConfig(2, 2), {}, {GridEngine::kSliced, Borders::kTorus, -1, true}), Error);
}

TEST(Stimulus, ReplaysTheOtherEngineBitForBit) {
  if (!std::filesystem::exists(kCases)) GTEST_SKIP() << kCases << " is absent";
  const GridConfig grid = frontend::read_grid(kCases + "py_random12x10_lutgrid.json").grid;
  const std::string expected = read_file(kCases + "py_random12x10.expected.jsonl");
  for (const GridEngine engine : kReplayEngines) EXPECT_EQ(replay_stimulus(grid, expected, "s", {engine, nullptr, -1}), expected);
}

TEST(Stimulus, LeftOutSidesAndNumbersAreFilledIn) {
  GridConfig config(2, 1);
  config.at(0, 0) = cell_word({0, kFromW, 0, 0});
  config.at(1, 0) = cell_word({0, kFromW, 0, 0});
  EXPECT_EQ(replay_stimulus(config, "{\"in\": {\"W\": [1]}}\n\n{\"in\": {}}", "s"),
            "{\"step\": 0, \"phase\": \"A\", \"in\": {\"N\": [0, 0], \"E\": [0], \"S\": [0, 0], \"W\": [1]}, "
            "\"out\": {\"N\": [0, 0], \"E\": [0], \"S\": [0, 0], \"W\": [0]}}\n"
            "{\"step\": 1, \"phase\": \"B\", \"in\": {\"N\": [0, 0], \"E\": [0], \"S\": [0, 0], \"W\": [0]}, "
            "\"out\": {\"N\": [0, 0], \"E\": [1], \"S\": [0, 0], \"W\": [0]}}\n"
            "{\"final_cell_outs_yx_NESW\": [[[0, 1, 0, 0], [0, 1, 0, 0]]]}\n");
}

TEST(Stimulus, CyclesCutOffOrExtend) {
  const GridConfig config(1, 1);
  const std::string three = "{\"in\": {}}\n{\"in\": {}}\n{\"in\": {}}\n";
  const auto lines = [&](int64_t cycles) {
    const std::string text = replay_stimulus(config, three, "s", {GridEngine::kSliced, nullptr, cycles});
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(lines(-1), 4);
  EXPECT_EQ(lines(0), 1);
  EXPECT_EQ(lines(1), 3);
  EXPECT_EQ(lines(5), 11);
}

std::string replay_objection(const std::string& stimulus) {
  return test::error_of([&] { replay_stimulus(GridConfig(2, 1), stimulus, "s.jsonl"); });
}

TEST(Stimulus, MessagesNameTheLine) {
  EXPECT_EQ(replay_objection("{\"in\": {}}\n{\"in\": {\"N\": [1]}}\n"),
            "s.jsonl:2: side N has 1 bits, the 2 x 1 grid has 2 ports there; give one bit per port");
  EXPECT_THAT(replay_objection("{\"out\": {}}\n"), HasSubstr("s.jsonl:1: key \"in\" is missing"));
  EXPECT_THAT(replay_objection("{\"in\": [1]}\n"), HasSubstr("\"in\" is not an object"));
  EXPECT_THAT(replay_objection("{\"in\": {\"X\": [1]}}\n"), HasSubstr("unknown side \"X\""));
  EXPECT_THAT(replay_objection("{\"in\": {\"W\": 1}}\n"), HasSubstr("side W has no list"));
  EXPECT_THAT(replay_objection("{\"in\": {\"W\": [2]}}\n"), HasSubstr("side W, entry 0 is 2; use 0 or 1"));
  EXPECT_THAT(replay_objection("{\"in\": {\"W\": [-1]}}\n"), HasSubstr("side W, entry 0 is -1"));
  EXPECT_THAT(replay_objection("{\"step\": 1, \"in\": {}}\n"), HasSubstr("\"step\" is 1, expected 0"));
  EXPECT_THAT(replay_objection("{\"phase\": \"B\", \"in\": {}}\n"), HasSubstr("\"phase\" is \"B\", expected \"A\""));
  EXPECT_THAT(replay_objection("\n\n{\"in\": {}"), HasSubstr("s.jsonl:3: this is not JSON"));
  EXPECT_THAT(replay_objection("7"), HasSubstr("is not a JSON object"));
}

TEST(Stimulus, FuzzedStimulusNeverCrashes) {
  const std::string good = replay_stimulus(GridConfig(2, 1), "{\"in\": {\"W\": [1]}}\n{\"in\": {}}\n", "s");
  std::mt19937 random(6);
  size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    if (random() % 4 == 0) text.resize(random() % (text.size() + 1));
    for (auto flips = random() % 3; flips > 0 && !text.empty(); --flips) text[random() % text.size()] = static_cast<char>(random());
    refused += replay_objection(text) != "no error";
  }
  EXPECT_GT(refused, 500u);
}

}  // namespace
}  // namespace bitgrid::sim
