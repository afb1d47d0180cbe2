#include "ir/text.h"

#include <gtest/gtest.h>

namespace bitgrid {
namespace {

TEST(Text, ByteOrderMark) {
  EXPECT_EQ(without_bom("\xEF\xBB\xBF.model"), ".model");
  EXPECT_EQ(without_bom("\xEF\xBB"), "\xEF\xBB");
  EXPECT_EQ(without_bom(""), "");
}

TEST(Text, LinesCountFromOne) {
  EXPECT_EQ(line_at("a\nb\nc", 0), 1u);
  EXPECT_EQ(line_at("a\nb\nc", 2), 2u);
  EXPECT_EQ(line_at("a\nb\nc", 99), 3u);
}

TEST(Text, InvalidUtf8) {
  EXPECT_EQ(invalid_utf8("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"), std::string_view::npos);
  for (const char* bad : {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xFF"})
    EXPECT_EQ(invalid_utf8(std::string("ok ") + bad), 3u) << bad;
}

TEST(Text, NothingForTheTerminalIsLeft) {
  EXPECT_EQ(printable("a\x1B[31mb\r\x7F\n\tc"), "a\\x1B[31mb\\x0D\\x7F\n\tc");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "\\xC2\\x9B31m");  // U+009B begins a control sequence, too
  EXPECT_EQ(printable("gr\xC3\xBC\xC3\x9F \xE9"), "gr\xC3\xBC\xC3\x9F \\xE9");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

}  // namespace
}  // namespace bitgrid
