#include "ir/number.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ir/json_reader.h"

namespace bitgrid {
namespace {

TEST(Number, WholeNumbersAreDecimalDigits) {
  EXPECT_EQ(parse_whole("0", 0, 9), 0);
  EXPECT_EQ(parse_whole("10", 0, 10), 10);
  EXPECT_EQ(parse_whole("-3", -3, 9), -3);
  EXPECT_EQ(parse_whole("18446744073709551615", uint64_t{0}, UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(parse_whole("-9223372036854775808", INT64_MIN, INT64_MAX), INT64_MIN);
}

TEST(Number, NothingElseIsAWholeNumber) {
  for (const std::string text : {"",
                                 " ",
                                 "-",
                                 "+1",
                                 "-0",
                                 "010",
                                 "-01",
                                 "00",
                                 "0x10",
                                 "1e2",
                                 "1.0",
                                 "1 ",
                                 " 1",
                                 "1k",
                                 "--1",
                                 "1,2",
                                 "١",
                                 "inf",
                                 "99999999999999999999",
                                 "-99999999999999999999"})
    EXPECT_EQ(parse_whole(text, INT64_MIN, INT64_MAX), std::nullopt) << text;
  EXPECT_EQ(parse_whole(std::string_view("1\0", 2), 0, 9), std::nullopt);
}

TEST(Number, WhatIsOutsideTheRangeIsNoNumberOfIt) {
  EXPECT_EQ(parse_whole("0", 1, 9), std::nullopt);
  EXPECT_EQ(parse_whole("10", 1, 9), std::nullopt);
  EXPECT_EQ(parse_whole("-1", uint64_t{0}, UINT64_MAX), std::nullopt);
  EXPECT_EQ(parse_whole("18446744073709551616", uint64_t{0}, UINT64_MAX), std::nullopt);
  EXPECT_EQ(parse_whole("4294967297", 0, 9), std::nullopt);
}

TEST(Number, RealNumbersHaveAFractionOrAnExponent) {
  EXPECT_EQ(parse_real("0.5", 0, 1), 0.5);
  EXPECT_EQ(parse_real("1e-3", 0, 1), 1e-3);
  EXPECT_EQ(parse_real("-2", -2, 1), -2.0);
  for (const std::string text : {"", "-", "+1", ".5", "010", "00.5", "0x1p3", "inf", "nan", "1e999", "1 ", "0,5", "2"})
    EXPECT_EQ(parse_real(text, -10, 1), std::nullopt) << text;
}

TEST(Number, HexadecimalDigitsHaveNoPrefixAndNoSign) {
  EXPECT_EQ(parse_hex("fFfF"), 0xFFFFU);
  EXPECT_EQ(parse_hex("0000000000000010"), 16U);
  for (const std::string text : {"", "-1", "+1", "0x1", "g", " 1", "1 ", "11111111111111111"})
    EXPECT_EQ(parse_hex(text), std::nullopt) << text;
  EXPECT_EQ(parse_hex("123", 2), std::nullopt);
}

TEST(Number, NamesCountWithZerosInFront) {
  EXPECT_EQ(parse_padded("007"), 7U);
  EXPECT_EQ(parse_padded("000"), 0U);
  EXPECT_EQ(parse_padded(""), std::nullopt);
  EXPECT_EQ(parse_padded("0-1"), std::nullopt);
}

TEST(Number, OfJsonKeepsFractionsAndSizeOut) {
  const auto of = [](const char* text) { return whole_number(nlohmann::json::parse(text), -1, 300); };
  EXPECT_EQ(of("300"), 300);
  EXPECT_EQ(of("-1"), -1);
  for (const char* text : {"301", "-2", "4294967296", "18446744073709551615", "1.5", "1e2", "1e300", "\"1\"", "true", "null", "[1]"})
    EXPECT_EQ(of(text), std::nullopt) << text;
}

}  // namespace
}  // namespace bitgrid
