#include "rtl/datapath.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "rtl/command.h"
#include "rtl/schedule.h"
#include "tests/support/random_dag.h"

namespace bitgrid::rtl {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Masked popcounts of two planes, added: the shape of a linear layer.
Dag masked_popcounts(uint32_t width) {
  Dag dag;
  dag.name = "row.0";
  std::mt19937_64 rng(1);
  const NodeId x = add_input(dag, "x", width);
  std::vector<NodeId> counts;
  for (int i = 0; i < 2; ++i) {
    const NodeId mask = add_constant(dag, test::random_bits(rng, width));
    counts.push_back(add_node(dag, Op::kPopcount, 10, {add_node(dag, Op::kAnd, width, {x, mask})}));
  }
  add_output(dag, "y", add_node(dag, Op::kAdd, 11, counts, "sum"));
  verify(dag);
  return dag;
}

TEST(Datapath, CommentTellsThePorts) {
  DatapathStats stats;
  const std::string text = datapath_verilog(masked_popcounts(20), {}, &stats);
  EXPECT_EQ(parse_interface(text, "text"), stats.interface);
  EXPECT_EQ(stats.interface, (RtlInterface{"bitgrid_row_0", 2, {{"i_x", 20}}, {{"o_y", 11}}}));
}

TEST(Datapath, StagesHoldAsManyLevelsAsAsked) {
  const Dag dag = masked_popcounts(64);  // levels: mask 1, popcount 7, add 5
  EXPECT_EQ(schedule_stages(dag, 100).stages, 1u);
  EXPECT_EQ(schedule_stages(dag, 13).stages, 1u);
  EXPECT_EQ(schedule_stages(dag, 12).stages, 2u);
  EXPECT_EQ(schedule_stages(dag, 1).stages, 2u);
}

TEST(Datapath, MasksAreNotRegistered) {
  DatapathStats stats;
  datapath_verilog(masked_popcounts(512), {.levels_per_stage = 4}, &stats);
  EXPECT_EQ(stats.register_bits, 2u * 10 + 11);
}

TEST(Datapath, NoStageExceedsItsLevels) {
  std::mt19937_64 rng(2);
  const Dag dag = test::random_dag(rng);
  const uint32_t limit = 6;
  const StageSchedule schedule = schedule_stages(dag, limit);
  std::vector<uint32_t> depth(dag.size());
  for (NodeId id = 0; id < dag.size(); ++id) {
    if (!schedule.live[id] || schedule.constant[id] || dag.node(id).op == Op::kOutput) continue;
    uint32_t start = 0;
    for (const NodeId operand : dag.node(id).operands) {
      if (schedule.constant[operand]) continue;
      ASSERT_LE(schedule.stage[operand], schedule.stage[id]);
      if (schedule.stage[operand] == schedule.stage[id]) start = std::max(start, depth[operand]);
    }
    const uint32_t levels = logic_levels(dag, id);
    depth[id] = start + levels;
    const bool with_gate = dag.node(id).op == Op::kPopcount && schedule.folded[dag.node(id).operands[0]];
    EXPECT_LE(depth[id], std::max(limit, levels + (with_gate ? 1 : 0))) << dag.node(id).name;
  }
}

TEST(Datapath, TwoNamesNeverBecomeOne) {
  const Dag dag = parse_dag(
      "dag module\ninput a.b 1\ninput a_b 1\ninput a__b 1\ninput _ 1\ninput wire 1\ninput clk 1\nx.y:6 = concat a.b a_b a__b _ wire clk\n"
      "x_y:6 = not x.y\noutput reg x_y\noutput out_valid x.y\n");
  DatapathStats stats;
  datapath_verilog(dag, {}, &stats);
  EXPECT_EQ(stats.interface, (RtlInterface{"bitgrid_module",
                                           1,
                                           {{"i_a_b", 1}, {"i_a_b_v2", 1}, {"i_a_b_v3", 1}, {"i_x", 1}, {"i_wire", 1}, {"i_clk", 1}},
                                           {{"o_reg", 6}, {"o_out_valid", 6}}}));
}

TEST(Datapath, NodesThatReachNoOutputAreLeftOut) {
  const Dag dag = parse_dag("dag d\ninput a 4\nunused:4 = not a\noutput y a\n");
  EXPECT_THAT(datapath_verilog(dag), Not(HasSubstr("unused")));
}

TEST(Datapath, EqualTablesAreOneFunction) {
  const Dag dag = parse_dag("dag d\ninput a 1\ninput b 1\nx:2 = lut a 0 3\ny:2 = lut b 0 3\noutput p x\noutput q y\n");
  const std::string text = datapath_verilog(dag);
  EXPECT_THAT(text, HasSubstr("w_x = lut_0(i_a)"));
  EXPECT_THAT(text, HasSubstr("w_y = lut_0(i_b)"));
}

TEST(Datapath, TextIsTheSameEveryTime) {
  std::mt19937_64 rng(3);
  const Dag dag = test::random_dag(rng);
  EXPECT_EQ(datapath_verilog(dag), datapath_verilog(parse_dag(print(dag))));
}

TEST(Datapath, NoLevelsAreRefused) {
  EXPECT_THROW(datapath_verilog(masked_popcounts(8), {.levels_per_stage = 0}), Error);
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A tool that must take the Verilog of Dags with every operation without a word.
struct Lint {
  const char* name;
  std::vector<std::string> version;
  std::vector<std::string> command;  // FILE stands for the file
  friend void PrintTo(const Lint& l, std::ostream* out) { *out << l.name; }
};

class DatapathLint : public testing::TestWithParam<Lint> {};

TEST_P(DatapathLint, FindsNothing) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / (std::string("bitgrid_lint_") + GetParam().name);
  std::filesystem::create_directories(folder);
  if (run_command(GetParam().version, (folder / "version").string()) != 0) GTEST_SKIP() << GetParam().name << " is not installed";
  std::mt19937_64 rng(4);
  for (int i = 0; i < 4; ++i) {
    test::RandomDagParams params;
    params.max_width = i == 0 ? 8 : 140;
    params.nodes = 70;
    params.outputs = 40;
    const std::filesystem::path file = folder / "kernel.v";
    std::ofstream(file) << datapath_verilog(i == 3 ? masked_popcounts(200) : test::random_dag(rng, params));
    std::vector<std::string> command = GetParam().command;
    for (std::string& word : command) {
      const size_t at = word.find("FILE");
      if (at != std::string::npos) word.replace(at, 4, file.string());
    }
    const std::filesystem::path log = folder / "log";
    std::filesystem::remove(log);
    EXPECT_EQ(run_command(command, log.string()), 0);
    EXPECT_EQ(read_file(log), "");
  }
  std::filesystem::remove_all(folder);
}

const Lint kLint[] = {
    {"verilator", {"verilator", "--version"}, {"verilator", "--lint-only", "-Wall", "FILE"}},
    {"iverilog", {"iverilog", "-V"}, {"iverilog", "-g2012", "-Wall", "-o", "/dev/null", "FILE"}},
    {"yosys", {"yosys", "-V"}, {"yosys", "-q", "-p", "read_verilog -sv FILE; hierarchy -check -auto-top; proc; check -assert"}},
};

INSTANTIATE_TEST_SUITE_P(Tool, DatapathLint, testing::ValuesIn(kLint), testing::PrintToStringParamName());

}  // namespace
}  // namespace bitgrid::rtl
