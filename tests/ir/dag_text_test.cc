#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "ir/dag.h"
#include "ir/error.h"
#include "tests/support/errors.h"
#include "tests/support/random_dag.h"

namespace bitgrid {
namespace {

const char* const kEveryLine =
    "dag every.line\n"
    "input a 1\n"
    "input x 12 resident\n"
    "c = constant 8 0x1f\n"
    "y:4 = slice x 8\n"
    "w:20 = concat c x\n"
    "p:5 = popcount w\n"
    "t:2 = lut a 0 3\n"
    "s:4 = select a y t\n"
    "output sum s\n"
    "output n p\n";

TEST(DagText, PrintsWhatItRead) {
  EXPECT_EQ(print(parse_dag(kEveryLine)), kEveryLine);
}

TEST(DagText, CommentsAndSpacesAreFree) {
  EXPECT_EQ(print(parse_dag("# full line\n\n  dag  d # name\r\n\tinput a 1\noutput y a#end")), "dag d\ninput a 1\noutput y a\n");
}

TEST(DagText, ConstantsLoseLeadingZerosOnly) {
  EXPECT_EQ(print(parse_dag("dag d\nc = constant 70 0x0200000000000000AB\nz = constant 9 0x000\noutput y c\noutput q z\n")),
            "dag d\nc = constant 70 0x200000000000000ab\nz = constant 9 0x0\noutput y c\noutput q z\n");
}

TEST(DagText, RandomDagsRoundTrip) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 20; ++i) {
    const std::string text = print(test::random_dag(rng));
    EXPECT_EQ(print(parse_dag(text)), text);
  }
}

TEST(DagText, MeaningSurvivesTheRoundTrip) {
  std::mt19937_64 rng(2);
  const Dag dag = test::random_dag(rng);
  const BitMatrix rows = test::random_rows(rng, 100, input_bits(dag));
  EXPECT_EQ(evaluate(parse_dag(print(dag)), rows), evaluate(dag, rows));
}

TEST(DagText, ExampleOfTheDocumentationIsADag) {
  std::ostringstream page;
  page << std::ifstream(BITGRID_SOURCE_DIR "/docs/dag.md").rdbuf();
  const size_t begin = page.str().find("```\ndag ");
  ASSERT_NE(begin, std::string::npos);
  const size_t end = page.str().find("```", begin + 4);
  const Dag dag = parse_dag(page.str().substr(begin + 4, end - begin - 4));
  BitMatrix rows(2, 16);
  rows.set_word(0, 0, 16, 0xF0F0);  // x = w: all 8 agree
  rows.set_word(1, 0, 16, 0x0FF0);  // none agrees
  const BitMatrix outputs = evaluate(dag, rows);
  EXPECT_EQ(outputs.get_word(0, 0, 7), 0b11'1'1000u);
  EXPECT_EQ(outputs.get_word(1, 0, 7), 0b01'0'0000u);
}

struct BadText {
  const char* name;
  const char* text;
  const char* expected;
  friend void PrintTo(const BadText& b, std::ostream* out) { *out << b.name; }
};

class DagTextError : public testing::TestWithParam<BadText> {};

TEST_P(DagTextError, NamesLineAndCure) {
  EXPECT_EQ(test::error_of([&] { parse_dag(GetParam().text, "k.dag"); }), GetParam().expected);
}

const BadText kBad[] = {
    {"Empty", "", "k.dag: it is empty; the first line must be: dag NAME"},
    {"NoDag", "input a 1\n", "k.dag:1: this is not a Dag; the first line must be: dag NAME"},
    {"InputWithoutWidth", "dag d\ninput a\n", "k.dag:2: this is not an input; write: input NAME WIDTH, or: input NAME WIDTH resident"},
    {"ZeroWidth", "dag d\ninput a 0\n", "k.dag:2: the width is 0; widths go from 1 to 65536"},
    {"HugeWidth", "dag d\ninput a 99999999999\n", "k.dag:2: \"99999999999\" is not a width; write a decimal number"},
    {"DefinedTwice", "dag d\ninput a 1\ninput a 1\n", "k.dag:3: \"a\" is defined twice; rename one"},
    {"NotAName", "dag d\ninput 7 1\n", "k.dag:2: \"7\" is not a name; use letters, digits, '_' and '.', and no digit or '.' first"},
    {"UnknownOperation", "dag d\ninput a 1\nx:1 = nand a a\n",
     "k.dag:3: there is no operation \"nand\"; the operations are constant, xnor, xor, and, or, not, select, slice, concat, popcount, add, "
     "subtract, less, lut"},
    {"InputAsOperation", "dag d\na = input 4\n", "k.dag:2: inputs are lines of their own; write: input a WIDTH"},
    {"OutputAsOperation", "dag d\ninput a 1\ns:1 = output a\n", "k.dag:3: outputs are lines of their own; write: output s OPERAND"},
    {"NoWidth", "dag d\ninput a 1\nx = not a\n", "k.dag:3: \"x\" has no width; write: x:WIDTH = ..."},
    {"Undefined", "dag d\ninput a 1\nx:1 = not b\n", "k.dag:3: \"b\" is not defined above; define operands before their users"},
    {"OperandCount", "dag d\ninput a 1\nx:1 = not a a\n", "k.dag:3: not has 2 operands; give it 1"},
    {"NoOperation", "dag d\ninput a 1\nx:1 =\n", "k.dag:3: an operation is missing; write: NAME:WIDTH = OPERATION OPERANDS"},
    {"ConstantTooWide", "dag d\nc = constant 4 0x1f\n",
     "k.dag:2: the number 1f does not fit 4 bits; make it wider or drop the upper digits"},
    {"ConstantInDecimal", "dag d\nc = constant 4 12\n", "k.dag:2: \"12\" is not a value; write 0x and hexadecimal digits"},
    {"TableDigit", "dag d\ninput a 1\nt:1 = lut a 0 g\n", "k.dag:3: 'g' is not a hexadecimal digit; use 0-9 and a-f"},
    {"TableSize", "dag d\ninput a 1\nt:1 = lut a 0\noutput y t\n",
     "k.dag: dag d, node t: its table has 1 words; an operand of 1 bit wants 2"},
    {"UnknownLine", "dag d\ninput a 1\nbanana\n",
     "k.dag:3: \"banana\" cannot start a line; write input, output, or NAME:WIDTH = OPERATION OPERANDS"},
    {"NoOutput", "dag d\ninput a 1\n", "k.dag: dag d: it has no output; add at least one"},
};

INSTANTIATE_TEST_SUITE_P(Bad, DagTextError, testing::ValuesIn(kBad), testing::PrintToStringParamName());

/// One random damage: a truncation, changed bytes, or lines moved about.
std::string damage(std::mt19937_64& rng, std::string text) {
  const auto at = [&] { return test::below(rng, static_cast<uint32_t>(text.size())); };
  switch (test::below(rng, 3)) {
    case 0:
      return text.substr(0, at());
    case 1:
      for (uint32_t i = 0; i <= test::below(rng, 4); ++i) text[at()] = static_cast<char>(rng());
      return text;
    default: {
      const std::string piece = text.substr(at(), test::below(rng, 60));
      return text.insert(at(), piece);
    }
  }
}

TEST(DagText, DamagedTextThrowsErrorOrStillRoundTrips) {
  std::mt19937_64 rng(3);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    test::RandomDagParams params;
    params.nodes = 20;
    const std::string text = damage(rng, print(test::random_dag(rng, params)));
    try {
      const Dag dag = parse_dag(text);
      EXPECT_EQ(print(parse_dag(print(dag))), print(dag));
      ++accepted;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 3000);
}

}  // namespace
}  // namespace bitgrid
