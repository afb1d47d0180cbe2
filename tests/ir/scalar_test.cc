#include "ir/scalar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

double real(Scalar s) {
  return std::ldexp(static_cast<double>(s.m), static_cast<int>(s.e));
}

Scalar random_scalar(std::mt19937_64& random) {
  return {static_cast<int64_t>(32768 + random() % 32768), static_cast<int64_t>(random() % 41) - 20};
}

/// Whether `got` is `exact` cut to 16 significant bits, which is between 0 and 2^-15 below it.
bool is_cut(double exact, Scalar got) {
  const double error = (exact - real(got)) / exact;
  return got.m >= 32768 && got.m < 65536 && error >= 0.0 && error < 0x1p-15;
}

TEST(Scalar, OperationsAreExactUpToTheirLastBit) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const Scalar a = random_scalar(random), b = random_scalar(random);
    ASSERT_TRUE(is_cut(real(a) * real(b), multiply(a, b)));
    ASSERT_TRUE(is_cut(real(a) / real(b), divide(a, b)));
    ASSERT_TRUE(is_cut(std::sqrt(real(a)), square_root(a)));
  }
}

TEST(Scalar, RoundsHalvesUp) {
  EXPECT_EQ(rounded_shift(3, 1), 2);
  EXPECT_EQ(rounded_shift(-3, 1), -1);
  EXPECT_EQ(rounded_shift(5, -2), 20);
  EXPECT_EQ(rounded_shift(INT64_MAX, 61), 0);
}

TEST(Scalar, ScalesElements) {
  EXPECT_EQ(scaled(10, constant(0.25)), 3);    // 2.5
  EXPECT_EQ(scaled(-10, constant(0.25)), -2);  // -2.5
  EXPECT_EQ(scaled(3, shifted(constant(1.0), 20)), 3 << 20);
  EXPECT_EQ(scaled(3, shifted(constant(1.0), -60)), 0);
}

__extension__ using Wide = __int128;

/// floor(v * a + 1/2); 0 where next to nothing is left.
Wide exactly_scaled(int64_t v, Scalar a) {
  const Wide product = static_cast<Wide>(v) * a.m;
  return a.e < -60 ? 0 : a.e < 0 ? ((product >> (-a.e - 1)) + 1) >> 1 : product * (Wide{1} << a.e);
}

TEST(Scalar, ScalesVectorsExactly) {
  std::mt19937_64 random(1);
  for (int e = -70; e < 12; ++e) {
    for (int bits = 1; bits <= kMostValueBits; ++bits) {
      const Scalar a = {32768 + static_cast<int64_t>(random() % 32768), e};
      std::vector<int64_t> v(9), want;
      for (int64_t& x : v) x = static_cast<int64_t>(random() >> (64 - bits)) * (random() % 2 == 0 ? 1 : -1);
      v[4] = (int64_t{1} << bits) - 1;  // the largest
      if (exactly_scaled(v[4], a) >= int64_t{1} << kMostValueBits) {
        EXPECT_THAT(test::error_of([&] { scale_values(v, a); }), HasSubstr("a value needs more than 46 bits"));
        continue;
      }
      for (const int64_t x : v) want.push_back(static_cast<int64_t>(exactly_scaled(x, a)));
      scale_values(v, a);
      ASSERT_EQ(v, want) << e << ", " << bits;
    }
  }
}

TEST(Scalar, AValueThatRunsAwayIsAnError) {
  EXPECT_THAT(test::error_of([] { scaled(int64_t{1} << 40, shifted(constant(1.0), 30)); }), HasSubstr("a value needs more than 46 bits"));
}

TEST(Scalar, ChecksTheSizeOfVectors) {
  const int64_t most = (int64_t{1} << kMostValueBits) - 1;
  check_values(std::vector<int64_t>{most, -most, 0});
  for (const int64_t v : {most + 1, -most - 2, INT64_MIN, INT64_MAX})
    EXPECT_THAT(test::error_of([&] { check_values(std::vector<int64_t>{3, v}); }), HasSubstr("a value needs more than 46 bits"));
}

TEST(Scalar, ConstantsHave16Bits) {
  EXPECT_EQ(constant(1.0), (Scalar{32768, -15}));
  EXPECT_EQ(constant(0.0), Scalar{});
  EXPECT_EQ(constant(1.0 - 1e-9), (Scalar{32768, -15}));
}

TEST(Scalar, WholeIsAFloorWithATop) {
  EXPECT_EQ(whole(constant(7.9)), 7);
  EXPECT_EQ(whole(shifted(constant(1.0), 60)), int64_t{1} << 46);
  EXPECT_EQ(whole(Scalar{}), 0);
}

TEST(Scalar, BlockFloatingPointSharesAShift) {
  std::vector<int64_t> v = {1000, -1, 12, -1024};
  EXPECT_EQ(block_floating_point(v, 8), 4);
  EXPECT_THAT(v, ElementsAre(63, 0, 1, -64));
  std::vector<int64_t> small = {127, -127};
  EXPECT_EQ(block_floating_point(small, 8), 0);
  std::vector<int64_t> rounds_out = {255};
  EXPECT_EQ(block_floating_point(rounds_out, 8), 1);
  EXPECT_THAT(rounds_out, ElementsAre(127));
}

}  // namespace
}  // namespace bitgrid
