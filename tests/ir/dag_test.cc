#include "ir/dag.h"

#include <bit>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/random_dag.h"

namespace bitgrid {
namespace {

using test::error_of;
using testing::HasSubstr;

Dag full_adder() {
  Dag dag;
  dag.name = "full_adder";
  const NodeId a = add_input(dag, "a", 1);
  const NodeId b = add_input(dag, "b", 1);
  const NodeId c = add_input(dag, "c", 1, true);
  const NodeId all = add_node(dag, Op::kConcat, 3, {a, b, c});
  add_output(dag, "sum", add_node(dag, Op::kPopcount, 2, {all}));
  return dag;
}

TEST(Dag, EvaluatesAFullAdder) {
  BitMatrix rows(8, 3);
  for (uint64_t i = 0; i < 8; ++i) rows.set_word(i, 0, 3, i);
  const BitMatrix sums = evaluate(full_adder(), rows);
  for (uint64_t i = 0; i < 8; ++i) EXPECT_EQ(sums.get_word(i, 0, 2), static_cast<uint64_t>(std::popcount(i)));
}

TEST(Dag, OffsetsFollowTheOrderOfCreation) {
  Dag dag;
  dag.name = "offsets";
  const NodeId a = add_input(dag, "a", 3);
  const NodeId b = add_input(dag, "b", 5);
  add_output(dag, "y", b);
  add_output(dag, "z", a);
  EXPECT_EQ(input_bits(dag), 8u);
  EXPECT_EQ(input_offset(dag, "b"), 3u);
  EXPECT_EQ(output_offset(dag, "z"), 5u);
  EXPECT_EQ(error_of([&] { input_offset(dag, "c"); }), "dag offsets: there is no input \"c\"; its inputs are a, b");
}

TEST(Dag, MadeUpNamesAvoidGivenOnes) {
  Dag dag;
  dag.name = "names";
  const NodeId a = add_input(dag, "n99", 1);
  add_node(dag, Op::kNot, 1, {a});
  add_output(dag, "n1", add_node(dag, Op::kNot, 1, {a}, "n_7"));  // after the node that would be n1
  EXPECT_NO_THROW(verify(dag));
  EXPECT_EQ(node_names(dag), (std::vector<std::string>{"n99", "n__1", "n_7", "n1"}));
  EXPECT_EQ(print(parse_dag(print(dag))), print(dag));
}

TEST(Dag, PortsHaveNames) {
  Dag dag;
  dag.name = "ports";
  add_output(dag, "", add_input(dag, "a", 1));
  EXPECT_EQ(error_of([&] { verify(dag); }), "dag ports, node n1: it has no name; name every input and output");
}

TEST(Dag, WrongNumberOfInputColumnsIsRefused) {
  EXPECT_EQ(error_of([] { evaluate(full_adder(), BitMatrix(1, 4)); }),
            "dag full_adder: it is given 4 input bits but has 3; give one column for each input bit");
}

TEST(Dag, GraphvizShowsOperandOrderAndResidence) {
  const std::string dot = to_dot(full_adder());
  EXPECT_THAT(dot, HasSubstr("v2 [shape=box, label=\"c\\ninput (resident) : 1\"];"));
  EXPECT_THAT(dot, HasSubstr("v2 -> v3 [headlabel=\"2\"];"));
  EXPECT_THAT(dot, HasSubstr("v3 -> v4;"));
}

TEST(Dag, LevelsGrowWithTheLogarithmOfTheWidth) {
  Dag dag;
  const NodeId a = add_input(dag, "a", 64);
  EXPECT_EQ(logic_levels(dag, a), 0u);
  EXPECT_EQ(logic_levels(dag, add_slice(dag, a, 0, 8)), 0u);
  EXPECT_EQ(logic_levels(dag, add_node(dag, Op::kXor, 64, {a, a})), 1u);
  EXPECT_EQ(logic_levels(dag, add_node(dag, Op::kPopcount, 7, {a})), 7u);
  EXPECT_EQ(logic_levels(dag, add_node(dag, Op::kLess, 1, {a, a})), 7u);
}

// Each case breaks the full adder in one way; the verifier must object to it.
struct BrokenDag {
  const char* name;
  std::function<void(Dag&)> damage;
  const char* expected;
  friend void PrintTo(const BrokenDag& b, std::ostream* out) { *out << b.name; }
};

class DagVerifier : public testing::TestWithParam<BrokenDag> {};

TEST_P(DagVerifier, Objects) {
  Dag dag = full_adder();
  ASSERT_NO_THROW(verify(dag));
  GetParam().damage(dag);
  EXPECT_EQ(error_of([&] { verify(dag); }), GetParam().expected);
}

const BrokenDag kBroken[] = {
    {"DagName", [](Dag& d) { d.name = "full adder"; },
     "dag full adder: \"full adder\" is not a name; use letters, digits, '_' and '.', and no digit or '.' first"},
    {"NodeName", [](Dag& d) { d.nodes[3].name = "3x"; },
     "dag full_adder, node 3x: \"3x\" is not a name; use letters, digits, '_' and '.', and no digit or '.' first"},
    {"SameName", [](Dag& d) { d.nodes[1].name = "a"; }, "dag full_adder, node a: there are two nodes of this name; rename one"},
    {"ZeroWidth", [](Dag& d) { d.nodes[0].width = 0; }, "dag full_adder, node a: its width is 0; widths go from 1 to 65536"},
    {"ConcatWidth", [](Dag& d) { d.nodes[3].width = 4; },
     "dag full_adder, node n3: it is 4 bits wide, but its operands together have 3 bits; make it 3 bits wide"},
    {"OutputWidth", [](Dag& d) { d.nodes[5].width = 1; },
     "dag full_adder, node sum: it is 1 bit wide, but its operand has 2 bits; make it 2 bits wide"},
    {"LessWidth",
     [](Dag& d) {
       add_node(d, Op::kLess, 2, {0, 1}, "l");
     },
     "dag full_adder, node l: it is 2 bits wide, but its result has 1 bit; make it 1 bit wide"},
    {"Condition",
     [](Dag& d) {
       add_node(d, Op::kSelect, 2, {3, 1, 2}, "s");
     },
     "dag full_adder, node s: its condition is 3 bits wide; make it 1 bit wide"},
    {"Slice", [](Dag& d) { add_slice(d, 3, 2, 2, "s"); },
     "dag full_adder, node s: bits 2 to 3 are not all in n3 of 3 bits; lower the first bit or the width"},
    {"SliceOverflow", [](Dag& d) { add_slice(d, 3, 0xFFFFFFFF, 1, "s"); },
     "dag full_adder, node s: bits 4294967295 to 4294967295 are not all in n3 of 3 bits; lower the first bit or the width"},
    {"OperandCount",
     [](Dag& d) {
       add_node(d, Op::kXor, 1, {0, 1, 2}, "x");
     },
     "dag full_adder, node x: xor has 3 operands; give it 2"},
    {"EmptyConcat", [](Dag& d) { add_node(d, Op::kConcat, 1, {}, "x"); },
     "dag full_adder, node x: concat has 0 operands; give it 1 or more"},
    {"LaterOperand", [](Dag& d) { d.nodes[3].operands[0] = 4; },
     "dag full_adder, node n3: operand 4 does not come before its user 3; add operands before their users"},
    {"OutputAsOperand", [](Dag& d) { add_node(d, Op::kNot, 2, {5}, "x"); },
     "dag full_adder, node x: operand sum is an output; use what the output shows: n4"},
    {"TableSize", [](Dag& d) { add_lut(d, 3, std::vector<BitVector>(7, BitVector(2)), "t"); },
     "dag full_adder, node t: its table has 7 words; an operand of 3 bits wants 8"},
    {"TableWord",
     [](Dag& d) {
       std::vector<BitVector> table(8, BitVector(2));
       table[5] = BitVector(3);
       add_lut(d, 3, table, "t");
     },
     "dag full_adder, node t: its table word 5 is 3 bits wide, the node 2 bits; give both one width"},
    {"ConstantBits",
     [](Dag& d) {
       BitVector value(3);
       value.words[0] = 8;
       add_constant(d, value, "k");
     },
     "dag full_adder, node k: its value has a bit above its width set; clear it"},
    {"InputList", [](Dag& d) { d.inputs.pop_back(); },
     "dag full_adder: its list of inputs is not the input nodes in order; add nodes with the functions of ir/dag.h"},
};

INSTANTIATE_TEST_SUITE_P(Broken, DagVerifier, testing::ValuesIn(kBroken), testing::PrintToStringParamName());

TEST(Dag, OperandThatDoesNotExistYetIsRefused) {
  Dag dag = full_adder();
  EXPECT_EQ(error_of([&] { add_node(dag, Op::kNot, 1, {9}, "x"); }),
            "dag full_adder, node x: operand 9 does not exist yet; add operands before their users");
}

}  // namespace
}  // namespace bitgrid
