// Vector kernels that are one array each: what they compute, by arithmetic on all or random numbers, and that a row or an array takes them.
#include "lowering/scales/row_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <random>

#include "check/verify_kernel.h"
#include "ir/dag_eval.h"
#include "lowering/mapping/map.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/scalar_words.h"

namespace bitgrid::scales {
namespace {

using Codes = std::vector<uint64_t>;

uint64_t low_bits(int64_t value, uint32_t bits) {
  return static_cast<uint64_t>(value) & ((uint64_t{1} << bits) - 1);
}
int64_t half(uint32_t bits) {
  return int64_t{1} << (bits - 1);
}

/// The first output of a kernel, on its mapping.
class Mapped {
 public:
  explicit Mapped(const Kernel& kernel) : kernel_(kernel), mapped_(mapping::map_kernel(kernel, {})) {
    const auto wrong = check::verify_mapping(kernel, mapped_, {});
    EXPECT_FALSE(wrong) << kernel.name;
  }
  const std::string& strategy() const { return mapped_.strategy; }
  int ii() const { return mapped_.ii; }
  /// Words of a port are given as one number.
  uint64_t operator()(const Codes& inputs) const {
    BitMatrix in(1, input_bits(kernel_.dag));
    size_t column = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const unsigned bits = kernel_.inputs[i].bits * static_cast<unsigned>(kernel_.inputs[i].words);
      in.set_word(0, column, bits, inputs[i]);
      column += bits;
    }
    return evaluate(kernel_.dag, in).get_word(0, 0, kernel_.outputs[0].bits);
  }

 private:
  Kernel kernel_;
  MappedKernel mapped_;
};

int64_t value_of_code(uint64_t code, const Factor& f) {
  if (f.code == NumberCode::kTwos) return sign_extended(code, f.bits);
  return static_cast<int64_t>(code) - (f.code == NumberCode::kOffset ? half(f.bits) : 0);
}

void expect_product_of(const Factor& a, const Factor& b, bool offset_result) {
  const Kernel kernel = product_kernel(a, b, 0, offset_result);
  const Mapped product(kernel);
  const uint32_t bits = a.bits + b.bits;
  EXPECT_EQ(product.strategy(), "product");
  for (uint64_t x = 0; x < uint64_t{1} << a.bits; ++x)
    for (uint64_t y = 0; y < uint64_t{1} << b.bits; ++y) {
      const int64_t exact = value_of_code(x, a) * value_of_code(y, b) + (offset_result ? half(bits) : 0);
      ASSERT_EQ(product({x, y}), low_bits(exact, bits)) << kernel.name << " " << x << " " << y;
    }
}

TEST(RowKernels, ProductsOfAllCodesAndShapes) {
  for (const NumberCode a : {NumberCode::kUnsigned, NumberCode::kOffset, NumberCode::kTwos})
    for (const NumberCode b : {NumberCode::kUnsigned, NumberCode::kOffset, NumberCode::kTwos})
      for (const auto& [n, m] : {std::pair(2u, 2u), {4u, 4u}, {3u, 5u}, {5u, 3u}, {2u, 6u}})
        for (const bool offset : {false, true})
          if (!offset || a != NumberCode::kUnsigned || b != NumberCode::kUnsigned) expect_product_of({n, a}, {m, b}, offset);
}

TEST(RowKernels, ProductsMayLoseTheirHighestBits) {
  const Mapped product(product_kernel({5, NumberCode::kTwos}, {4, NumberCode::kTwos}, 6));
  EXPECT_EQ(product({low_bits(-13, 5), low_bits(-7, 4)}), low_bits(91, 6));
}

TEST(RowKernels, AFormThatIsNotTheDagIsFound) {
  Kernel kernel = product_kernel({5, NumberCode::kTwos}, {4, NumberCode::kUnsigned});
  kernel.form.product->a.code = NumberCode::kOffset;
  EXPECT_TRUE(check::verify_mapping(kernel, mapping::map_kernel(kernel, {}), {}));
}

TEST(RowKernels, LengthsAreThoseOfTheMagnitude) {
  for (const NumberCode code : {NumberCode::kOffset, NumberCode::kTwos}) {
    const Mapped length(length_kernel(8, code));
    EXPECT_EQ(length.ii(), 1);
    for (int v = -128; v < 128; ++v) {
      const int64_t stored = code == NumberCode::kOffset ? v + 128 : v;
      const uint64_t bits = low_bits(stored, 8);
      const uint64_t next = bits >> 1 | (bits & 0x80);
      ASSERT_EQ(std::bit_width(length({bits, next})), std::bit_width(static_cast<unsigned>(std::abs(v)))) << v;
    }
  }
}

TEST(RowKernels, MagnitudeAndPositivePart) {
  const Mapped magnitude(magnitude_kernel(8)), positive(positive_kernel(8));
  EXPECT_EQ(magnitude.strategy(), "ripple");
  for (int v = -127; v < 128; ++v) {
    ASSERT_EQ(magnitude({low_bits(v, 8), v < 0 ? 0xFFu : 0u}), static_cast<uint64_t>(std::abs(v)));
    ASSERT_EQ(positive({low_bits(v + 128, 8), v < 0 ? 0u : 0xFFu}), static_cast<uint64_t>(std::max(v, 0)));
  }
}

/// Planes s - 1 .. of v, and the definition.
TEST(RowKernels, CutsRoundHalfUpAndStayInRange) {
  constexpr uint32_t kTo = 5;
  const Mapped overflow(overflow_kernel(kTo)), cut(cut_kernel(kTo, NumberCode::kTwos)), offset(cut_kernel(kTo, NumberCode::kOffset));
  const auto planes = [](int64_t v, int from, uint32_t bits) { return low_bits(from >= 0 ? v >> from : v * (int64_t{1} << -from), bits); };
  for (int s = 0; s < 4; ++s) {
    const int64_t most = (int64_t{1} << (s + 4)) - 1;
    for (int64_t v = -most; v <= most; ++v) {
      const uint64_t over = overflow({planes(v, s - 1, kTo), planes(v, s, kTo)}), f = planes(v, s - 1, kTo + 1);
      const int64_t exact = std::clamp<int64_t>((2 * v + (int64_t{1} << s)) >> (s + 1), -15, 15);
      ASSERT_EQ(cut({over, f}), low_bits(exact, kTo)) << v << " " << s;
      ASSERT_EQ(offset({over, f}), low_bits(exact + 16, kTo)) << v << " " << s;
    }
  }
}

TEST(RowKernels, RoundedSums) {
  const Mapped round(round_kernel(6, NumberCode::kOffset)), add(add_rounded_kernel(6));
  for (int f = -60; f < 60; ++f) {
    const int64_t exact = (f + 1) >> 1;
    ASSERT_EQ(round({low_bits(f, 7)}), low_bits(exact + 32, 6));
    for (int base = -2; base < 2; ++base) ASSERT_EQ(add({low_bits(base + 32, 6), low_bits(f, 7)}), low_bits(base + exact + 32, 6));
  }
}

TEST(RowKernels, TheLargerOfTwo) {
  const Mapped less(less_kernel(4)), choose(choose_kernel(4));
  EXPECT_EQ(less.strategy(), "ripple");
  for (uint64_t a = 0; a < 16; ++a)
    for (uint64_t b = 0; b < 16; ++b) ASSERT_EQ(choose({less({a, b}), a, b}), std::max(a, b));
}

TEST(RowKernels, SumsAndDifferences) {
  const Mapped sum(sum_kernel(5)), difference(difference_kernel(5)), modulo(difference_modulo_kernel(6, 3, 2, 6)),
      plus(plus_constant_kernel(5, -9, 6));
  for (int a = -16; a < 16; ++a)
    for (int b = -16; b < 16; ++b) {
      ASSERT_EQ(sum({low_bits(a, 5), low_bits(b, 5)}), low_bits(a + b, 6));
      ASSERT_EQ(difference({low_bits(a, 5), low_bits(b, 5)}), low_bits(a - b, 6));
    }
  EXPECT_EQ(modulo({5, 7}), low_bits(5 - 28, 6));
  EXPECT_EQ(plus({3}), low_bits(-6, 6));
}

TEST(RowKernels, ScoresSaturate) {
  const Mapped score(score_kernel());
  EXPECT_EQ(score({low_bits(-5, 16), 0, 0, 1}), low_bits(-5 + 32768, 16));
  EXPECT_EQ(score({7, 1, 0, 1}), 65535u);
  EXPECT_EQ(score({7, 1, 1, 1}), 1u);
  EXPECT_EQ(score({7, 1, 1, 0}), 0u);
}

TEST(RowKernels, Powers) {
  const Mapped power(power_kernel(4, 11)), falling(falling_power_kernel(4, 11));
  EXPECT_EQ(power({3}), 8u);
  EXPECT_EQ(power({12}), 0u);
  EXPECT_EQ(falling({3}), 128u);
  EXPECT_EQ(falling({11}), 0u);
}

TEST(RowKernels, OfExponentsAndDigits) {
  const Mapped complement(complement_kernel(6)), negated(negative_kernel(6)), keep(keep_kernel(5)), plus(plus_bit_kernel(5, 9));
  EXPECT_EQ(complement({5}), low_bits(-6, 6));
  EXPECT_EQ(negated({5}), low_bits(-5, 6));
  EXPECT_EQ(keep({1, 19}), 19u);
  EXPECT_EQ(keep({0, 19}), 0u);
  EXPECT_EQ(plus({1, 20}), 30u);
  const Mapped fits(trial_kernel(5, 4)), append(append_kernel(6, 2)), gather(gather_kernel(3)), plane(root_plane_kernel());
  for (uint64_t a = 0; a < 32; ++a)
    for (uint64_t b = 0; b < 16; ++b) ASSERT_EQ(fits({a, b}), a >= b ? 1u : 0u);
  EXPECT_EQ(append({5, 2}), 22u);
  EXPECT_EQ(gather({6}), 6u);
  EXPECT_EQ(plane({6}), low_bits(-16, 6));
  EXPECT_EQ(plane({7}), low_bits(-17, 6));
}

TEST(RowKernels, WholeNumbersEndAtAPowerOfTwo) {
  const Mapped whole(whole_kernel(4, 6)), least(at_least_one_kernel(4)), zero(zero_kernel(4));
  EXPECT_EQ(whole({9, 1, 1}), 9u);
  EXPECT_EQ(whole({9, 0, 1}), 16u);
  EXPECT_EQ(whole({9, 0, 0}), 0u);
  for (uint64_t x = 0; x < 16; ++x) ASSERT_EQ(least({x, zero({x})}), std::max<uint64_t>(x, 1));
}

}  // namespace
}  // namespace bitgrid::scales
