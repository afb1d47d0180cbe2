// bitgrid reduce, with small commands in place of programs that fail.
#include <fmt/format.h>

#include "frontend/blif.h"
#include "ir/dag.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

class Reduce : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    write_file(path("big.dag"),
               "dag big\ninput a 8\ninput b 8\ns:9 = add a b\nx:8 = xor a b\nc:4 = popcount x\noutput sum s\noutput count c\n");
  }
  /// `script` is a shell's, in single quotes on the command line.
  Result reduce(const std::string& script, const std::string& options = "") const {
    return bitgrid(fmt::format("reduce {} -o {} {} -- sh -c '{}'", path("big.dag"), path("small.dag"), options, script));
  }
  std::string small() const { return read_file(path("small.dag")); }
  /// A shell's words that count the runs of the command, up to $n.
  std::string counted() const { return fmt::format("echo >>{0}; n=$(wc -l <{0});", path("count")); }

  const std::string only_xor = "dag big\na = constant 1 0x0\nx:1 = xor a a\noutput count x\n";
};

TEST_F(Reduce, KeepsTheExitStatus) {
  const Result r = reduce("grep -q xor {}", "--json " + path("r.json"));
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(small(), only_xor);
  EXPECT_THAT(r.output, HasSubstr("big.dag: exit status 0 with 3 nodes, 2 inputs, 2 outputs\n"));
  EXPECT_THAT(r.output, HasSubstr("small.dag: 2 nodes, 0 inputs, 1 output; "));
  const json j = json_of("r.json");
  EXPECT_EQ(j["keeps"], "exit status 0");
  EXPECT_EQ(j["before"]["nodes"], 3);
  EXPECT_EQ(j["after"], json({{"nodes", 2}, {"inputs", 0}, {"outputs", 1}}));
  EXPECT_EQ(j["interrupted"], false);
  EXPECT_GE(j["runs"], j["kept"]);
}

TEST_F(Reduce, OtherExitStatusesAreNotTheSame) {
  EXPECT_EQ(reduce("grep -q popcount {} || exit 5; grep -q xor {} && exit 3; exit 4").status, 0);
  EXPECT_THAT(small(), testing::AllOf(HasSubstr("xor"), HasSubstr("popcount")));
}

TEST_F(Reduce, KeepsASignal) {
  EXPECT_THAT(reduce("grep -q xor {} && kill -SEGV $$").output, HasSubstr("signal 11 (Segmentation fault) with 3 nodes"));
  EXPECT_EQ(small(), only_xor);
}

TEST_F(Reduce, KeepsAMessage) {
  const std::string script = "grep -q xor {} && echo line one && echo the mapping is wrong; exit 1";
  const Result r = reduce(script, "--match \"^the .* wrong$\"");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(small(), only_xor);
  EXPECT_THAT(reduce(script, "--match \"the mapping is right\"").output,
              HasSubstr("--match: nothing in the command's output matches 'the mapping is right'; run it by hand"));
  EXPECT_THAT(reduce(script, "--match \"(\"").output, HasSubstr("--match: '(' is not a regular expression"));
}

TEST_F(Reduce, ACommandWithoutEndIsKilledAndThatIsAWayToEnd) {
  const Result r = reduce("grep -q xor {} && sleep 100", "--timeout 1");
  EXPECT_EQ(r.status, 0);
  EXPECT_THAT(r.output, HasSubstr("still running after 1 s with 3 nodes"));
  EXPECT_EQ(small(), only_xor);
}

TEST_F(Reduce, AnInterruptedRunKeepsTheBest) {
  const Result r = reduce(counted() + "[ $n = 12 ] && kill -INT $PPID && sleep 100; grep -q xor {}");
  EXPECT_EQ(r.status, 130) << r.output;
  EXPECT_THAT(r.output, HasSubstr("small.dag: interrupted at "));
  EXPECT_THAT(print(parse_dag(small())), HasSubstr("xor"));
}

TEST_F(Reduce, AKilledRunLeavesAWholeFile) {
  EXPECT_NE(reduce(counted() + "[ $n = 12 ] && kill -KILL $PPID; grep -q xor {}").status, 0);
  EXPECT_THAT(print(parse_dag(small())), HasSubstr("xor"));
}

TEST_F(Reduce, Netlists) {
  const std::string out = path("small.blif");
  const Result r = bitgrid(fmt::format("reduce {} -o {} -- sh -c '! grep -q \"^1111\" {{}}'", netlist(), out));
  EXPECT_EQ(r.status, 0) << r.output;
  const CoverNetwork small = frontend::parse_blif(read_file(out));
  EXPECT_EQ(small.nodes.size(), 1u) << read_file(out);
  EXPECT_EQ(small.inputs.size(), 4u) << read_file(out);  // those of the row that the command looks for
}

TEST_F(Reduce, WhatIsWrongIsSaid) {
  const auto objection = [&](const std::string& arguments) { return bitgrid("reduce " + arguments).output; };
  const std::string dag = path("big.dag"), out = " -o " + path("x.dag");
  EXPECT_THAT(objection(dag + out + " -- true"), HasSubstr("command: it has no {} in it; write {} where the file's path belongs"));
  EXPECT_THAT(objection(dag + " -o " + path("x.blif") + " -- cat {}"),
              HasSubstr("x.blif: a reduced file keeps its type; give a name that ends in .dag"));
  EXPECT_THAT(objection(dag + " -o " + dag + " -- cat {}"), HasSubstr("big.dag: this is the file to be reduced; name another one with -o"));
  EXPECT_THAT(objection(model_ + " -o m.yaml -- cat {}"), HasSubstr("models are not reduced; give a .blif or .dag file"));
  EXPECT_THAT(objection(dag + out + " -- /nowhere/program {}"), HasSubstr("/nowhere/program: the command cannot be started: No such file"));
  write_file(path("bad.dag"), "dag d\ninput\n");
  EXPECT_THAT(objection(path("bad.dag") + out + " -- cat {}"), HasSubstr("bad.dag:2: this is not an input"));
  write_file(path("odd.dag"), "dag d # mark\ninput a 1\noutput o a\n");
  EXPECT_THAT(objection(path("odd.dag") + out + " -- grep -q mark {}"),
              HasSubstr("odd.dag: the command ends differently once bitgrid has rewritten the file"));
  EXPECT_FALSE(fs::exists(path("x.dag")));
}

}  // namespace
}  // namespace bitgrid
