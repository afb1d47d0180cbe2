#include "frontend/grids/lut_expression.h"

#include <gmock/gmock.h>

#include "ir/error.h"

namespace bitgrid::frontend {
namespace {

TEST(LutExpression, OperatorsBindAsInPython) {
  EXPECT_EQ(parse_lut_expression("n | e ^ s & ~W", "a cell"), static_cast<Lut>(kFromN | (kFromE ^ (kFromS & invert(kFromW)))));
}

TEST(LutExpression, ParenthesesComeFirst) {
  EXPECT_EQ(parse_lut_expression("~(n | e) & 1", "a cell"), static_cast<Lut>(invert(kFromN) & invert(kFromE)));
}

TEST(LutExpression, EveryTableCanBeWritten) {
  int wrong = 0;
  for (unsigned t = 0; t < 65536; t += 7)
    wrong += parse_lut_expression(print_lut_expression(static_cast<Lut>(t)), "a cell") != static_cast<Lut>(t);
  EXPECT_EQ(wrong, 0);
}

TEST(LutExpression, SimpleTablesReadWell) {
  EXPECT_EQ(print_lut_expression(parse_lut_expression("s ^ n", "a cell")) + ", " + print_lut_expression(parse_lut_expression("~e&w", "")),
            "n ^ s, ~e & w");
}

std::string message_of(const std::string& text) {
  try {
    parse_lut_expression(text, "output n");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(LutExpression, MessagesNameTheColumn) {
  EXPECT_EQ(message_of("n & north"),
            "output n: column 5 of \"n & north\" has 'north' in place of an input; write n, e, s, w, 0, 1, ~ or (");
}

TEST(LutExpression, AMissingOperandIsFound) {
  EXPECT_EQ(message_of("n ^"), "output n: column 4 of \"n ^\" has the end in place of an input; write n, e, s, w, 0, 1, ~ or (");
}

TEST(LutExpression, DeepTextIsRefused) {
  EXPECT_THAT(message_of(std::string(1'000'000, '(')), testing::HasSubstr("an expression that is less deep"));
}

}  // namespace
}  // namespace bitgrid::frontend
