#include "ir/lut_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid {
namespace {

using testing::HasSubstr;

// y = a & !b, z = !(a ^ b ^ c), one = 1, w = !c.
LutNetwork example() {
  LutNetwork n;
  n.name = "example";
  n.inputs = {"a", "b", "c"};
  n.nodes = {{2, {0, 1}, 0x2}, {3, {0, 1, 2}, 0x96}};
  n.outputs = {{"y", 3, false}, {"z", 4, true}, {"one", kConstantSignal, true}, {"w", 2, true}};
  return n;
}

std::string problem_of(const LutNetwork& network) {
  return test::error_of([&] { verify(network); });
}

TEST(LutNetwork, EvaluatesEveryRow) {
  BitMatrix in(200, 3);
  for (size_t r = 0; r < in.rows; ++r) in.set_word(r, 0, 3, r % 8);
  const BitMatrix out = evaluate(example(), in);
  for (size_t r = 0; r < in.rows; ++r) {
    const bool a = r & 1, b = r & 2, c = r & 4;
    ASSERT_EQ(out.get_word(r, 0, 4), unsigned{a && !b} + 2u * !(a ^ b ^ c) + 4u + 8u * !c) << r;
  }
}

TEST(LutNetwork, EvaluateRefusesTheWrongNumberOfColumns) {
  EXPECT_THROW(evaluate(example(), BitMatrix(1, 2)), Error);
}

TEST(LutNetwork, DepthIsTheLongestPath) {
  LutNetwork n = example();
  n.nodes.push_back({2, {3, 4}, 0x8});
  EXPECT_EQ(depth(n), 2);
  EXPECT_EQ(depth(LutNetwork{}), 0);
}

TEST(LutNetwork, BlifText) {
  EXPECT_EQ(to_blif(example()),
            ".model example\n.inputs a b c\n.outputs y z one w\n"
            ".names a b n0\n10 1\n"
            ".names a b c n1\n100 1\n010 1\n001 1\n111 1\n"
            ".names n0 y\n1 1\n.names n1 z\n0 1\n.names one\n1\n.names c w\n0 1\n.end\n");
}

TEST(LutNetwork, BlifTextOfATableOfOnesHasRows) {
  const LutNetwork n{"one", {"a"}, {{1, {0}, 0x3}}, {{"y", 1, false}}};
  EXPECT_THAT(to_blif(n), HasSubstr(".names a n0\n0 1\n1 1\n"));
}

TEST(LutNetwork, MadeUpNamesDifferFromGivenOnes) {
  LutNetwork n = example();
  n.inputs[0] = "n1";
  EXPECT_EQ(signal_name(n, 4), "n_1");
}

TEST(LutNetwork, VerifyAcceptsTheExample) {
  EXPECT_EQ(problem_of(example()), "no error");
}

TEST(LutNetwork, VerifyNamesAFaninThatComesLater) {
  LutNetwork n = example();
  n.nodes[0].fanins[1] = 4;
  EXPECT_THAT(problem_of(n), HasSubstr("node 0: fan-in 1 is signal 4, which does not come before the node; order nodes topologically"));
}

TEST(LutNetwork, VerifyNamesRepeatedFanins) {
  LutNetwork n = example();
  n.nodes[0].fanins[1] = 0;
  EXPECT_THAT(problem_of(n), HasSubstr("fan-ins 0 and 1 are the same signal"));
}

TEST(LutNetwork, VerifyNamesBitsAboveTheTable) {
  LutNetwork n = example();
  n.nodes[0].table = 0x10;
  EXPECT_THAT(problem_of(n), HasSubstr("table 0010 has bits above its 4 entries"));
}

TEST(LutNetwork, VerifyNamesAnOutputOfNothing) {
  LutNetwork n = example();
  n.outputs[0].signal = 5;
  EXPECT_THAT(problem_of(n), HasSubstr("output y is signal 5 of 5"));
}

TEST(LutNetwork, VerifyNamesDoubleNames) {
  LutNetwork n = example();
  n.inputs[1] = "a";
  EXPECT_THAT(problem_of(n), HasSubstr("two inputs are called a"));
  n = example();
  n.outputs[1].name = "y";
  EXPECT_THAT(problem_of(n), HasSubstr("two outputs are called y"));
  n = example();
  n.outputs[0].name = "a";
  EXPECT_THAT(problem_of(n), HasSubstr("output a has the name of an input"));
}

TEST(LutNetwork, VerifyNamesWhatBlifCannotWrite) {
  LutNetwork n = example();
  n.inputs[0] = "a b";
  EXPECT_THAT(problem_of(n), HasSubstr("input name \"a b\" cannot be written"));
}

}  // namespace
}  // namespace bitgrid
