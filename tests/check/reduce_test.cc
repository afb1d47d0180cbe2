#include "check/reduce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "frontend/blif.h"
#include "ir/file.h"
#include "tests/support/random_dag.h"

namespace bitgrid::check {
namespace {

using testing::HasSubstr;

bool has(const Dag& dag, Op op) {
  return std::any_of(dag.nodes.begin(), dag.nodes.end(), [op](const Node& node) { return node.op == op; });
}

/// In a node that an output depends on: others go first.
bool uses(const Dag& dag, Op op) {
  std::vector<bool> used(dag.size());
  for (const NodeId id : dag.outputs) used[id] = true;
  bool found = false;
  for (NodeId id = static_cast<NodeId>(dag.size()); id-- > 0;) {
    if (!used[id]) continue;
    found |= dag.node(id).op == op;
    for (const NodeId operand : dag.node(id).operands) used[operand] = true;
  }
  return found;
}

TEST(Reduce, OneOperationIsLeftOfAnyDag) {
  std::mt19937_64 random(1);
  const Dag dag = test::random_dag(random);
  for (const OpInfo& op : op_table()) {
    if (op.op == Op::kInput || op.op == Op::kOutput || op.op == Op::kConstant || !uses(dag, op.op)) continue;
    const Dag small = reduce(dag, [&](const Dag& candidate) { return has(candidate, op.op); });
    EXPECT_EQ(small.size(), 3u) << print(small);  // an operand, the operation, an output
    for (const Node& node : small.nodes) EXPECT_EQ(node.width, 1u) << print(small);
  }
}

TEST(Reduce, TablesAndConstantsAreCleared) {
  const Dag dag =
      parse_dag("dag d\ninput a 4 resident\nc = constant 4 0xF\nx:4 = and a c\ny:8 = lut x 0 1 2 3 4 5 6 7 8 9 A B C D E F\noutput o y\n");
  const Keeps<Dag> keeps = [](const Dag& d) { return has(d, Op::kLut) && has(d, Op::kAnd) && has(d, Op::kInput) && has(d, Op::kConstant); };
  EXPECT_EQ(print(reduce(dag, keeps)), "dag d\ninput a 1\nc = constant 1 0x0\nx:1 = and a c\ny:1 = lut x 0 0\noutput o y\n");
}

/// What is looked for need not be a shape: here, that some output can be 1 when all inputs are 0.
TEST(Reduce, APropertyOfTheValuesIsKept) {
  std::mt19937_64 random(2);
  const Dag dag = test::random_dag(random);
  const Keeps<Dag> keeps = [](const Dag& candidate) {
    const BitMatrix out = evaluate(candidate, BitMatrix(1, input_bits(candidate)));
    return std::any_of(out.words.begin(), out.words.end(), [](uint64_t word) { return word != 0; });
  };
  ASSERT_TRUE(keeps(dag));
  const Dag small = reduce(dag, keeps);
  EXPECT_TRUE(keeps(small));
  EXPECT_EQ(small.size(), 2u) << print(small);  // a constant 1 and an output
}

/// Whatever is kept and whatever is not: candidates are right, smaller than what they come from, and never the same.
TEST(Reduce, EveryCandidateIsADagOfItsOwn) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    std::set<std::string> seen;
    ReduceStats stats;
    const Keeps<Dag> keeps = [&](const Dag& candidate) {
      verify(candidate);
      const std::string text = print(candidate);
      EXPECT_EQ(print(parse_dag(text)), text);
      EXPECT_TRUE(seen.insert(text).second) << text;
      return random() % 3 == 0;
    };
    reduce(test::random_dag(random), keeps, &stats);
    EXPECT_EQ(stats.tried, seen.size());
  }
}

const char kNetlist[] =
    ".model m\n.inputs a b c d\n.outputs x y z\n.names a b n\n11 1\n.names n c x\n10 1\n01 1\n.names d n y\n0- 0\n-1 0\n.names "
    "z\n1\n.end\n";

TEST(Reduce, OneGateIsLeftOfANetlist) {
  const Keeps<CoverNetwork> keeps = [](const CoverNetwork& network) {
    return std::any_of(network.nodes.begin(), network.nodes.end(), [](const CoverNode& node) { return node.fanins.size() == 2; });
  };
  const CoverNetwork small = reduce(frontend::parse_blif(kNetlist), keeps);
  EXPECT_TRUE(keeps(small));
  EXPECT_LE(small.nodes.size(), 2u) << to_blif(small);  // the gate, and a constant that it reads
  EXPECT_LE(small.inputs.size(), 1u) << to_blif(small);
}

TEST(Reduce, AnOutputThatIsCutToAWireKeepsItsName) {
  const Keeps<CoverNetwork> keeps = [](const CoverNetwork& network) {
    BitMatrix in(1, network.inputs.size());
    for (size_t i = 0; i < in.cols; ++i) in.set(0, i, true);
    return !network.inputs.empty() && network.outputs[0].name == "x" && evaluate(network, BitMatrix(1, in.cols)).get(0, 0) == 0 &&
           evaluate(network, in).get(0, 0) == 1;
  };
  const CoverNetwork start = frontend::parse_blif(".inputs a b c\n.outputs x y\n.names a b n\n11 1\n.names n c x\n11 1\n.names a y\n0 1\n");
  EXPECT_EQ(to_blif(reduce(start, keeps)), ".model top\n.inputs x\n.outputs x\n.end\n");
}

TEST(Reduce, EveryCandidateIsANetlistOfItsOwn) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    std::set<std::string> seen;
    const Keeps<CoverNetwork> keeps = [&](const CoverNetwork& candidate) {
      verify(candidate);
      const std::string text = to_blif(candidate);
      EXPECT_EQ(frontend::parse_blif(text), candidate) << text;
      EXPECT_TRUE(seen.insert(text).second) << text;
      return random() % 3 == 0;
    };
    reduce(frontend::parse_blif(kNetlist), keeps);
    EXPECT_FALSE(seen.empty());
  }
}

TEST(Reduce, WhatTheSearchThrowsEndsIt) {
  int left = 3;
  const Keeps<CoverNetwork> keeps = [&](const CoverNetwork&) {
    if (--left == 0) throw std::runtime_error("enough");
    return false;
  };
  EXPECT_THROW(reduce(frontend::parse_blif(kNetlist), keeps), std::runtime_error);
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace bitgrid::check
