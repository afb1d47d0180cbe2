#include "frontend/blif.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid::frontend {
namespace {

using testing::HasSubstr;

std::string problem_of(std::string_view text) {
  return test::error_of([&] { parse_blif(text, "t.blif"); });
}

// Outputs for inputs 0, 1, 2, ...: one number each, bit o = output o.
std::vector<uint64_t> table_of(std::string_view text) {
  const CoverNetwork network = parse_blif(text);
  const size_t inputs = network.inputs.size();
  BitMatrix in(size_t{1} << inputs, inputs);
  for (size_t r = 0; r < in.rows && inputs > 0; ++r) in.set_word(r, 0, static_cast<unsigned>(inputs), r);
  const BitMatrix out = evaluate(network, in);
  std::vector<uint64_t> table;
  for (size_t r = 0; r < out.rows; ++r) table.push_back(out.get_word(r, 0, static_cast<unsigned>(out.cols)));
  return table;
}

TEST(Blif, DontCaresAndSeveralRows) {
  EXPECT_EQ(table_of(".model m\n.inputs a b c\n.outputs y\n.names a b c y\n1-1 1\n01- 1\n.end\n"),
            (std::vector<uint64_t>{0, 0, 1, 0, 0, 1, 1, 1}));
}

TEST(Blif, OffSet) {
  EXPECT_EQ(table_of(".model m\n.inputs a b\n.outputs y\n.names a b y\n11 0\n"), (std::vector<uint64_t>{1, 1, 1, 0}));
}

TEST(Blif, Constants) {
  EXPECT_EQ(table_of(".inputs a\n.outputs p q r\n.names p\n.names q\n1\n.names r\n0\n.end\n"), (std::vector<uint64_t>{2, 2}));
}

TEST(Blif, ContinuationsCommentsAndWindowsLines) {
  EXPECT_EQ(table_of("# header\r\n.model m\r\n.inputs a \\\r\n b # two\r\n.outputs y\r\n.names a b \\\r\ny\r\n11 1\r\n.end\r\n"),
            (std::vector<uint64_t>{0, 0, 0, 1}));
}

TEST(Blif, NodesInAnyOrder) {
  EXPECT_EQ(table_of(".inputs a b\n.outputs y\n.names n y\n0 1\n.names a b n\n11 1\n"), (std::vector<uint64_t>{1, 1, 1, 0}));
}

TEST(Blif, OutputThatIsAnInput) {
  EXPECT_EQ(table_of(".inputs a b\n.outputs b\n"), (std::vector<uint64_t>{0, 0, 1, 1}));
}

TEST(Blif, LinesAboutDelayAreSkipped) {
  EXPECT_EQ(table_of(".inputs a\n.outputs a\n.default_input_arrival 0 0\n.area 3\n").size(), 2u);
}

TEST(Blif, ExtendedBlif) {
  const std::string text =
      ".model ext\n.attr src \"top.v:1\"\n.inputs a b\n.outputs y\n.names a b t\n11 1\n.attr src \"top.v:3#\"\n.cname $and1\n.param INIT "
      "1000\n.conn t y\n.end\n";
  EXPECT_EQ(table_of(text), (std::vector<uint64_t>{0, 0, 0, 1}));
  EXPECT_FALSE(is_plain_blif(text));
  EXPECT_EQ(problem_of(".conn a\n"), "t.blif:1: .conn has 1 names instead of 2; write: .conn DRIVER DRIVEN");
  EXPECT_EQ(problem_of(".inputs a b\n.outputs y\n.conn a y\n.conn b y\n"), "t.blif:4: y is defined twice (first in line 3); remove one");
  EXPECT_EQ(problem_of(".inputs a\n.outputs y\n.names a y\n.attr x 1\n1 1\n"),
            "t.blif:5: \"1\" does not belong to any .names; put rows of a cover directly below its .names line");
}

TEST(Blif, ByteOrderMark) {
  const std::string plain = ".inputs a b\n.outputs y\n.names a b y\n11 1\n";
  EXPECT_EQ(table_of("\xEF\xBB\xBF" + plain), table_of(plain));
  EXPECT_TRUE(is_plain_blif(plain));
  EXPECT_FALSE(is_plain_blif("\xEF\xBB\xBF" + plain));
}

TEST(Blif, RefusalsNameTheLine) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {".model m\n.inputs a\n.latch a b 0\n", "t.blif:3: .latch makes the circuit sequential; give combinational logic"},
      {".model m\n.subckt x a=b\n", "t.blif:2: .subckt needs other models; flatten the hierarchy first"},
      {".gate nand2 a=b\n", "t.blif:1: .gate needs a cell library"},
      {".exdc\n", "t.blif:1: .exdc gives external don't-cares"},
      {".model a\n.model b\n", "t.blif:2: a second .model"},
      {".frobnicate\n", "t.blif:1: .frobnicate is unknown; use .model"},
      {".outputs y\n11 1\n", "t.blif:2: \"11\" does not belong to any .names"},
      {".inputs a\n.outputs y\n.names a y\n11 1\n", "t.blif:4: the row has 2 values, y has 1 inputs"},
      {".inputs a\n.outputs y\n.names a y\n2 1\n", "t.blif:4: \"2\" has characters other than 0, 1 and -"},
      {".inputs a\n.outputs y\n.names a y\n1 x\n", "t.blif:4: the output value is \"x\""},
      {".inputs a\n.outputs y\n.names a y\n1 1\n0 0\n", "t.blif:5: rows of y give both 0 and 1"},
      {".inputs a\n.outputs y\n.names a y\n1\n", "t.blif:4: a row of 1 columns for y"},
      {".names\n", "t.blif:1: .names has no output"},
      {".inputs a\n.outputs y\n.names b y\n1 1\n", "t.blif:3: nothing drives b, which y uses"},
      {".inputs a\n.outputs y\n", "t.blif:2: nothing drives output y"},
      {".inputs a\n.outputs y\n.names a y\n1 1\n.names a y\n0 1\n", "t.blif:5: y is defined twice (first in line 3)"},
      {".inputs a\n.outputs a\n.names a\n1\n", "t.blif:3: a is an input and has a .names"},
      {".inputs a\n.outputs p\n.names q p\n1 1\n.names p q\n1 1\n", "t.blif:5: p depends on itself through q; break the loop"},
      {".inputs a a\n.outputs a\n", "t.blif:1: input a is listed twice"},
      {".inputs a\n.outputs a a\n", "t.blif:2: output a is listed twice"},
      {".inputs a\n", "t.blif:1: there are no outputs"},
      {"", "there are no outputs"},
      {".outputs y\n.end\n.names y\n", "t.blif:3: .names comes after .end"},
  };
  for (const auto& c : cases) EXPECT_THAT(problem_of(c.text), HasSubstr(c.message)) << c.text;
}

TEST(Blif, MissingFileIsNamed) {
  EXPECT_THAT(test::error_of([&] { read_blif("/nonexistent/x.blif"); }), HasSubstr("/nonexistent/x.blif"));
}

TEST(Blif, DamagedTextNeverCrashes) {
  const std::string text =
      ".model m\n.inputs a b c \\\n d\n.outputs y z\n.names a b n1\n1- 1\n-1 1\n.names n1 c d y\n1-0 0\n.names z\n1\n.end\n";
  std::mt19937_64 rng(1);
  const std::string alphabet = "01-. \n\\#abcyzn\t\r";
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = text.substr(0, rng() % (text.size() + 1));
    for (uint64_t k = rng() % 4; k-- > 0 && !damaged.empty();)
      damaged[rng() % damaged.size()] = rng() % 4 == 0 ? static_cast<char>(rng()) : alphabet[rng() % alphabet.size()];
    try {
      verify(parse_blif(damaged));
    } catch (const Error&) {  // the one allowed outcome beside success
    }
  }
}

TEST(Blif, ALutNetworkReadsBackAsItself) {
  LutNetwork n;
  n.name = "m";
  n.inputs = {"a", "b", "c", "d"};
  n.nodes = {{2, {0, 1}, 0x6}, {4, {0, 2, 3, 4}, 0xBEEF}, {0, {}, 1}, {1, {5}, 1}};
  n.outputs = {{"y", 5, true}, {"z", 7, false}, {"one", 6, false}, {"zero", kConstantSignal, false}, {"c", 2, false}, {"nd", 3, true}};
  verify(n);
  BitMatrix in(16, 4);
  for (size_t r = 0; r < 16; ++r) in.set_word(r, 0, 4, r);
  EXPECT_EQ(evaluate(parse_blif(to_blif(n)), in), evaluate(n, in));
}

TEST(Blif, ReadsTheSharedCircuits) {
  const std::filesystem::path folder = std::filesystem::path(BITGRID_SHARED_CASES) / "epfl";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  size_t read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".blif") {
      verify(read_blif(entry.path().string()));
      ++read;
    }
  EXPECT_GE(read, 11u);
}

}  // namespace
}  // namespace bitgrid::frontend
