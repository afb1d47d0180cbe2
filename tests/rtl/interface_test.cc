#include "rtl/interface.h"

#include <random>

#include <gtest/gtest.h>

#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid::rtl {
namespace {

TEST(RtlInterface, RoundTrip) {
  const RtlInterface interface {
    "m", 7, {{"a", 1}, {"b", 300}}, {
      { "y", 2 }
    }
  };
  EXPECT_EQ(parse_interface("// first line\n" + interface_comment(interface) + "module m;\n// @nonsense\n", "m.v"), interface);
}

struct Bad {
  const char* name;
  const char* text;
  const char* expected;
  friend void PrintTo(const Bad& b, std::ostream* out) { *out << b.name; }
};

class RtlInterfaceError : public testing::TestWithParam<Bad> {};

TEST_P(RtlInterfaceError, NamesFileLineAndCure) {
  EXPECT_EQ(test::error_of([&] { parse_interface(GetParam().text, "m.v"); }), GetParam().expected);
}

const Bad kBad[] = {
    {"NoComment", "module m; endmodule\n",
     "m.v: the comment that describes the ports is missing or has no end; keep the lines from \"// @module\" to \"// @end\" that `bitgrid "
     "verilog` writes at the head of the file"},
    {"NoModule", "// @latency 1\n// @output y 1\n// @end\n", "m.v: there is no \"// @module\" line; add \"// @module NAME\""},
    {"NoLatency", "// @module m\n// @output y 1\n// @end\n",
     "m.v: there is no \"// @latency\" line; add \"// @latency CLOCKS\", at least 1"},
    {"NoOutput", "// @module m\n// @latency 1\n// @end\n",
     "m.v: there is no \"// @output\" line; add \"// @output PORT WIDTH\" for every output"},
    {"LatencyIsNoNumber", "// @module m\n// @latency x\n", "m.v:2: \"x\" is not a width or latency; write a number from 1 to 65536"},
    {"ZeroWidth", "// @module m\n// @input a 0\n", "m.v:2: \"0\" is not a width or latency; write a number from 1 to 16777216"},
    {"ModuleName", "// @module m;\n",
     "m.v:1: \"m;\" is not a name for a port or module; use letters, digits and single underscores, and no digit first"},
    {"PortName", "// @input a__b 1\n",
     "m.v:1: \"a__b\" is not a name for a port or module; use letters, digits and single underscores, and no digit first"},
    {"SamePort", "// @input a 1\n// @output a 2\n",
     "m.v:2: there are two ports a; give each port one line; clk, rst, in_valid and out_valid have none"},
    {"PortOfTheFrame", "// @input clk 1\n",
     "m.v:1: there are two ports clk; give each port one line; clk, rst, in_valid and out_valid have none"},
    {"UnknownLine", "// @inout a 1\n", "m.v:1: \"@inout\" is unknown; the lines are @module, @latency, @input, @output and @end"},
};

INSTANTIATE_TEST_SUITE_P(Bad, RtlInterfaceError, testing::ValuesIn(kBad), testing::PrintToStringParamName());

TEST(RtlInterface, DamagedCommentThrowsErrorOrIsRead) {
  const std::string text = interface_comment({"m", 7, {{"a", 1}, {"b", 300}}, {{"y", 2}}});
  std::mt19937_64 rng(1);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = text.substr(0, i % 3 == 0 ? rng() % text.size() : text.size());
    for (size_t k = 0; k < rng() % 4 && !damaged.empty(); ++k) damaged[rng() % damaged.size()] = static_cast<char>(rng());
    try {
      const RtlInterface interface = parse_interface(damaged, "m.v");
      EXPECT_EQ(parse_interface(interface_comment(interface), "m.v"), interface);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, 2000);
}

}  // namespace
}  // namespace bitgrid::rtl
