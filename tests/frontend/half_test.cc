#include "frontend/checkpoint/half.h"

#include <gtest/gtest.h>

namespace bitgrid::frontend {
namespace {

TEST(Half, EveryHalfComesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value))
      EXPECT_TRUE((half & 0x7FFFu) > 0x7C00u && std::isnan(half_to_float(float_to_half(value)))) << bits;
    else
      EXPECT_EQ(float_to_half(value), half) << bits;
  }
}

// sign, exponent - 15 (or -14 without the leading 1), mantissa of ten bits: by the definition.
TEST(Half, IsWhatItsBitsSay) {
  for (uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const uint32_t exponent = bits >> 10, mantissa = bits & 0x3FFu;
    const double expected = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, static_cast<int>(exponent) - 25);
    EXPECT_EQ(half_to_float(static_cast<uint16_t>(bits)), expected) << bits;
    EXPECT_EQ(half_to_float(static_cast<uint16_t>(bits | 0x8000u)), -expected) << bits;
  }
  EXPECT_TRUE(std::isinf(half_to_float(0x7C00)));
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  for (uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const auto half = static_cast<uint16_t>(bits), next = static_cast<uint16_t>(bits + 1);
    const float middle = half_to_float(half) + (half_to_float(next) - half_to_float(half)) / 2;
    EXPECT_EQ(float_to_half(middle), bits % 2 == 0 ? half : next) << bits;
    EXPECT_EQ(float_to_half(std::nextafter(middle, 0.0f)), half) << bits;
    EXPECT_EQ(float_to_half(std::nextafter(middle, 1e9f)), next) << bits;
  }
  EXPECT_EQ(float_to_half(65519.0f), 0x7BFF);
  EXPECT_EQ(float_to_half(65520.0f), 0x7C00);
  EXPECT_EQ(float_to_half(-1e30f), 0xFC00);
}

TEST(Half, BfloatIsTheUpperHalf) {
  EXPECT_EQ(bfloat_to_float(0x3FC0), 1.5f);
  EXPECT_EQ(float_to_bfloat(1.5f), 0x3FC0);
  EXPECT_EQ(float_to_bfloat(std::bit_cast<float>(0x3FC08000u)), 0x3FC0);  // ties to even
  EXPECT_EQ(float_to_bfloat(std::bit_cast<float>(0x3FC18000u)), 0x3FC2);
  EXPECT_EQ(float_to_bfloat(std::bit_cast<float>(0x3FC08001u)), 0x3FC1);
  EXPECT_EQ(float_to_bfloat(std::bit_cast<float>(0x7F7FFFFFu)), 0x7F80);
  EXPECT_TRUE(std::isnan(bfloat_to_float(float_to_bfloat(std::bit_cast<float>(0x7F800001u)))));
}

}  // namespace
}  // namespace bitgrid::frontend
