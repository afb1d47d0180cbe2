#include "ir/kernel_form_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace bitgrid {
namespace {

TEST(KernelFormText, EveryFieldComesBack) {
  const char kText[] =
      "matrix slots=18 raw=16 raw_shift=2 strip=-5 multiply clamp=1,10,4,low\n"
      "column 0+4 max=15\n"
      "column 4+4 shift=1 max=15 rest=3\n"
      "sum residual=8+4:shift=1:max=15 times=3 plus=2\n"
      "row +- start=45\n"
      "row residents=12:-1:1,13:0:1 start_word=14+6:max=63:rest=7\n"
      "sum\n"
      "row 0+\n"
      "popcount inputs=2\n"
      "count +- theta=-1\n"
      "count 00\n"
      "part first=1 count=1 ii2\n"
      "streamed table=8 sum=14 start=7\n"
      "add 0 table=0,3,5,8\n"
      "add 2 table=0,255\n"
      "add 3 table=0,@20,127,@28\n";
  const KernelForm form = parse_form(kText);
  EXPECT_EQ(print(form), kText);
  EXPECT_EQ(form.serial->groups[0].planes[1].residents[1].one, 1);
  EXPECT_TRUE(form.serial->clamp->low);
}

TEST(KernelFormText, AStartWordOfStreamedWeightsComesBack) {
  EXPECT_EQ(print(parse_form("streamed table=8 sum=14 start_word=4+14:max=9\nadd 0 table=0,1\n")),
            "streamed table=8 sum=14 start_word=4+14:max=9\nadd 0 table=0,1\n");
}

TEST(KernelFormText, CommentsAndBlanksAreFree) {
  EXPECT_EQ(print(parse_form("# nothing\n\n matrix  sign slots=3 # P\n")), "matrix slots=3 sign\n");
}

TEST(KernelFormText, ErrorsNameTheLine) {
  const auto error = [](const std::string& text) { return test::error_of([&] { parse_form(text, "f"); }); };
  EXPECT_EQ(
      error("column 0+4\n"),
      "f:1: 'column' cannot begin a line here; write matrix, then column, sum and row; or popcount, then count; or part; or streamed, "
      "then add");
  EXPECT_EQ(error("matrix\ncolumn 0+4\nsum\nrow ++\n"), "f:4: 2 digits for 1 columns; give one for each column");
  EXPECT_EQ(error("matrix\ncolumn 0+65\n"), "f:2: '65' is not a number from 0 to 64; correct the number");
  EXPECT_EQ(error("matrix slots=1 slots=2\n"), "f:1: 'slots' is given twice; give it once");
  EXPECT_EQ(error("matrix wide\n"), "f:1: 'wide' is unknown here; leave it out");
  EXPECT_EQ(error("streamed\nadd 0 table=1,2,3\n"), "f:2: a table of 3 numbers; give 2 numbers, or 4: one for each code");
  EXPECT_EQ(error("popcount inputs=1\ncount x\n"), "f:2: 'x' are not digits; write +, 0 or - for each column");
}

}  // namespace
}  // namespace bitgrid
