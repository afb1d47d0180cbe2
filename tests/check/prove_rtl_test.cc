#include "check/prove_rtl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ir/error.h"
#include "rtl/command.h"
#include "rtl/datapath.h"
#include "tests/support/errors.h"
#include "tests/support/random_dag.h"

namespace bitgrid::check {
namespace {

using testing::HasSubstr;

#define NEEDS_TOOLS()                                          \
  for (const char* program : {"yosys", "berkeley-abc"})        \
    if (rtl::run_command({program, "-h"}, "/dev/null") == 127) \
  GTEST_SKIP() << program << " is not installed (scripts/install-dependencies --test)"

rtl::RtlSource verilog(const Dag& dag, uint32_t levels = 8) {
  return rtl::make_rtl_source("kernel.v", rtl::datapath_verilog(dag, {levels}));
}

rtl::RtlSource replaced(rtl::RtlSource source, const std::string& from, const std::string& to) {
  const size_t at = source.text.find(from);
  if (at == std::string::npos) throw Error("", from + " is not in the text");
  source.text.replace(at, from.size(), to);
  return source;
}

Dag threshold() {
  return parse_dag(
      "dag row\ninput x 20\ninput y 5\nm = constant 20 0x5a5f3\ng:20 = xor x m\nc:5 = popcount g\nl:1 = less c y\noutput s l\n");
}

TEST(ProveRtl, CountingTreesAreTheSameFunction) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 6; ++round) {
    test::RandomDagParams params;
    params.max_width = 150;
    const Dag dag = test::random_dag(random, params);
    const BitMatrix inputs = test::random_rows(random, 100, input_bits(dag));
    EXPECT_EQ(evaluate(with_counting_trees(dag), inputs), evaluate(dag, inputs)) << round;
  }
}

TEST(ProveRtl, ProvesRandomDags) {
  NEEDS_TOOLS();
  std::mt19937_64 random(2);
  for (int round = 0; round < 4; ++round) {
    test::RandomDagParams params;
    params.max_width = round == 0 ? 70 : 12;
    const Dag dag = test::random_dag(random, params);
    const Proof proof = prove_datapath(dag, verilog(dag, 6));
    EXPECT_EQ(proof.verdict, Verdict::kProved) << round << ": " << proof.why << describe_values(proof.counterexample, dag);
  }
}

TEST(ProveRtl, CountsRegisters) {
  NEEDS_TOOLS();
  ProveRtlStats stats;
  EXPECT_EQ(prove_datapath(threshold(), verilog(threshold(), 7), {}, &stats).verdict, Verdict::kProved);
  EXPECT_GT(stats.registers, 5u);
  EXPECT_GT(stats.gates, 20u);
}

TEST(ProveRtl, ProvesAndRefutesInParts) {
  NEEDS_TOOLS();
  const Dag dag = parse_dag("dag d\ninput a 4\ninput b 4\nu:5 = add a b\nv:4 = and a b\noutput s u\noutput t v\n");
  ProveRtlParams params;
  params.part_gates = 12;
  ProveRtlStats stats;
  EXPECT_EQ(prove_datapath(dag, verilog(dag), params, &stats).verdict, Verdict::kProved);
  EXPECT_GT(stats.parts, 2u);
  const Proof proof = prove_datapath(dag, replaced(verilog(dag), " & ", " | "), params);
  ASSERT_EQ(proof.verdict, Verdict::kRefuted);
  EXPECT_THAT(describe_values(proof.counterexample, dag), HasSubstr("output t["));
}

TEST(ProveRtl, AChangedGateIsRefutedWithInputValues) {
  NEEDS_TOOLS();
  const Dag dag = parse_dag("dag d\ninput a 4\ninput b 3\nt:4 = and a b\noutput s t\n");
  const Proof proof = prove_datapath(dag, replaced(verilog(dag), " & ", " | "));
  ASSERT_EQ(proof.verdict, Verdict::kRefuted);
  const std::string text = describe_values(proof.counterexample, dag);
  EXPECT_THAT(text, HasSubstr("output s["));
  EXPECT_THAT(text, HasSubstr(" with a=0x"));
  EXPECT_THAT(text, HasSubstr(" b=0x"));
}

TEST(ProveRtl, ACounterexampleIsOne) {
  NEEDS_TOOLS();
  const Dag dag = threshold();
  const Proof proof = prove_datapath(dag, replaced(verilog(dag), "20'h5a5f3", "20'h5a5f2"));
  ASSERT_EQ(proof.verdict, Verdict::kRefuted);
  BitMatrix inputs(1, 25);
  for (const auto& [name, value] : proof.counterexample.inputs)
    inputs.set(0, (name[0] == 'x' ? 0 : 20) + static_cast<size_t>(std::stoi(name.substr(2))), value);
  EXPECT_EQ(evaluate(dag, inputs).get(0, 0), proof.counterexample.expected);
  EXPECT_NE(proof.counterexample.got, proof.counterexample.expected);
}

TEST(ProveRtl, AMissingRegisterIsRefuted) {
  NEEDS_TOOLS();
  const Dag dag = threshold();
  const rtl::RtlSource source = verilog(dag, 7);
  const size_t at = source.text.find("  always @(posedge clk) begin\n    r1_");
  ASSERT_NE(at, std::string::npos) << source.text;
  const std::string line = source.text.substr(at + 30, source.text.find(';', at) - at - 30);
  const std::string name = line.substr(line.find("r1_"), line.find(" <=") - line.find("r1_"));
  rtl::RtlSource late = replaced(source, name + " <=", name + "_late <= " + name + ";\n    " + name + " <=");
  late = replaced(late, "  always @(posedge clk) begin\n", "  reg [31:0] " + name + "_late;\n  always @(posedge clk) begin\n");
  const size_t use = late.text.rfind(name);
  late.text.insert(use + name.size(), "_late");
  const Proof proof = prove_datapath(dag, late);
  EXPECT_EQ(proof.verdict, Verdict::kRefuted);
  EXPECT_THAT(proof.why, HasSubstr("registers"));
}

TEST(ProveRtl, AnAbsentProgramIsNamed) {
  ProveRtlParams params;
  params.yosys = "no-such-yosys";
  EXPECT_EQ(test::error_of([&] { prove_datapath(threshold(), verilog(threshold()), params); }),
            "--prove: the program no-such-yosys cannot be run; install it (Debian: apt install yosys) or leave out --prove");
}

const rtl::RtlInterface kPipe = {"m", 1, {{"i_a", 1}}, {{"o_y", 1}}};

TEST(Unpipe, TakesRegistersForWires) {
  const Unpiped u = remove_pipeline(".model m\n.inputs i_a\n.outputs o_y\n.names i_a t\n0 1\n.latch t o_y re clk 2\n.end\n", kPipe);
  EXPECT_EQ(u.problem, "");
  EXPECT_EQ(cone_blif(u, 0, 1), ".model m\n.inputs i_a\n.outputs o_y\n.names i_a t\n0 1\n.names t o_y\n1 1\n.end\n");
}

TEST(Unpipe, ComparesOutputsInGroups) {
  const Dag dag = parse_dag("dag d\ninput a 4\ninput b 4\nu:5 = add a b\nv:4 = and a b\noutput s u\noutput t v\n");
  const LutNetwork network = dag_network(dag);
  EXPECT_EQ(group_outputs(network, 100000), std::vector<size_t>{9});
  const auto single = group_outputs(network, 1);
  EXPECT_EQ(single[0], 1u);  // the sum's lowest bit; the others have more than one gate each
  size_t first = 0;
  std::mt19937_64 random(3);
  const BitMatrix inputs = test::random_rows(random, 50, 8);
  const BitMatrix all = evaluate(network, inputs);
  for (const size_t count : group_outputs(network, 12)) {
    const BitMatrix part = evaluate(cone(network, first, count), inputs);
    for (size_t r = 0; r < 50; ++r) {
      for (size_t o = 0; o < count; ++o) EXPECT_EQ(part.get(r, o), all.get(r, first + o));
    }
    first += count;
  }
  EXPECT_EQ(first, 9u);
}

TEST(Unpipe, SaysWhatIsNoPipeline) {
  EXPECT_EQ(remove_pipeline(".names i_a o_y\n1 1\n", kPipe).problem, "0 registers precede o_y, but the latency is 1");
  EXPECT_EQ(remove_pipeline(".names rst o_y\n1 1\n", kPipe).problem, "an output depends on rst");
  EXPECT_EQ(remove_pipeline(".latch i_a t re c 2\n.names i_a t o_y\n11 1\n", kPipe).problem, "o_y joins paths of 0 and 1 registers");
  EXPECT_THAT(remove_pipeline(".latch t o_y re c 2\n.names i_a o_y t\n11 1\n", kPipe).problem, HasSubstr("depends on itself"));
}

}  // namespace
}  // namespace bitgrid::check
