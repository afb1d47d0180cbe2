#include "lowering/scales/words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <random>

#include "lowering/scales/scalar_words.h"

namespace bitgrid::scales {
namespace {

/// One invocation of a Dag whose inputs are numbers of up to 64 bits.
uint64_t value_of(const Dag& dag, const std::vector<uint64_t>& inputs) {
  BitMatrix in(1, input_bits(dag));
  size_t column = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const uint32_t w = dag.node(dag.inputs[i]).width;
    in.set_word(0, column, w, w == 64 ? inputs[i] : inputs[i] & ((uint64_t{1} << w) - 1));
    column += w;
  }
  const BitMatrix out = evaluate(dag, in);
  return out.get_word(0, 0, output_bits(dag));
}

int64_t signed_value(uint64_t code, uint32_t width) {
  return width == 64 ? static_cast<int64_t>(code) : static_cast<int64_t>(code << (64 - width)) >> (64 - width);
}

uint64_t random_bits(std::mt19937_64& random, uint32_t most) {
  const uint64_t length = random() % (most + 1);
  return length == 0 ? 0 : random() >> (64 - length);
}

Scalar random_scalar(std::mt19937_64& random, int64_t spread) {
  return bitgrid::scalar(static_cast<int64_t>(random_bits(random, 20)),
                         static_cast<int64_t>(random() % static_cast<uint64_t>(2 * spread)) - spread);
}

TEST(Words, ProductsAreExact) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    const auto wa = static_cast<uint32_t>(1 + random() % 24), wb = static_cast<uint32_t>(1 + random() % 20);
    for (const bool both : {false, true}) {
      Dag dag;
      const NodeId a = add_input(dag, "a", wa), b = add_input(dag, "b", wb);
      add_output(dag, "y", both ? product_signed(dag, a, b) : product_unsigned(dag, a, b));
      const uint64_t x = random(), y = random() & ((uint64_t{1} << wb) - 1);
      const int64_t sx = signed_value(x & ((uint64_t{1} << wa) - 1), wa), sy = both ? signed_value(y, wb) : static_cast<int64_t>(y);
      EXPECT_EQ(signed_value(value_of(dag, {x, y}), wa + wb), sx * sy) << wa << " " << wb << " " << both;
    }
  }
}

TEST(Words, ShiftsRoundAsTheDefinitionDoes) {
  std::mt19937_64 random(2);
  Dag dag;
  const NodeId word = add_input(dag, "a", 30), by = add_input(dag, "s", 6);
  add_output(dag, "y", rounded_shift(dag, word, by));
  for (int i = 0; i < 2000; ++i) {
    const uint64_t a = random_bits(random, 30), s = random() % 64;
    EXPECT_EQ(signed_value(value_of(dag, {a, s}), 31), bitgrid::rounded_shift(signed_value(a, 30), static_cast<int64_t>(s)))
        << a << " " << s;
  }
}

TEST(Words, QuotientsRootsAndLengths) {
  std::mt19937_64 random(3);
  Dag divide_dag, root_dag, length_dag;
  const NodeId over = add_input(divide_dag, "a", 33), under = add_input(divide_dag, "b", 16);
  add_output(divide_dag, "y", quotient(divide_dag, over, under));
  add_output(root_dag, "y", integer_root(root_dag, add_input(root_dag, "a", 34)));
  add_output(length_dag, "y", bit_length(length_dag, add_input(length_dag, "a", 27)));
  for (int i = 0; i < 2000; ++i) {
    const uint64_t a = random_bits(random, 33), b = std::max<uint64_t>(1, random_bits(random, 16)), n = random_bits(random, 34);
    EXPECT_EQ(value_of(divide_dag, {a, b}), a / b);
    const uint64_t r = value_of(root_dag, {n});
    EXPECT_TRUE(r * r <= n && (r + 1) * (r + 1) > n) << n;
    EXPECT_EQ(value_of(length_dag, {n & 0x7FFFFFF}), static_cast<uint64_t>(std::bit_width(n & 0x7FFFFFF)));
  }
}

TEST(Words, ClampIsSymmetric) {
  Dag dag;
  add_output(dag, "y", clamp(dag, add_input(dag, "a", 10), 5));
  for (int64_t v = -512; v < 512; ++v)
    EXPECT_EQ(signed_value(value_of(dag, {static_cast<uint64_t>(v)}), 6), std::clamp<int64_t>(v, -31, 31));
}

/// A Dag of two scalars against the function of ir/scalar.h.
void compare(const std::function<ScalarNode(Dag&, ScalarNode, ScalarNode)>& build, const std::function<Scalar(Scalar, Scalar)>& define) {
  std::mt19937_64 random(4);
  Dag dag;
  const ScalarNode a = unpack_scalar(dag, add_input(dag, "a", kScalarWord)), b = unpack_scalar(dag, add_input(dag, "b", kScalarWord));
  add_output(dag, "y", pack_scalar(dag, build(dag, a, b)));
  for (int i = 0; i < 2000; ++i) {
    const Scalar x = random_scalar(random, 200), y = random_scalar(random, 200);
    EXPECT_EQ(scalar_of_code(value_of(dag, {scalar_code(x), scalar_code(y)})), define(x, y))
        << x.m << " " << x.e << " " << y.m << " " << y.e;
  }
}

TEST(ScalarWords, AreThoseOfTheDefinition) {
  compare([](Dag& d, ScalarNode a, ScalarNode b) { return multiply(d, a, b); }, [](Scalar a, Scalar b) { return bitgrid::multiply(a, b); });
  compare([](Dag& d, ScalarNode a, ScalarNode b) { return divide(d, a, b); }, [](Scalar a, Scalar b) { return bitgrid::divide(a, b); });
  compare([](Dag& d, ScalarNode a, ScalarNode) { return square_root(d, a); }, [](Scalar a, Scalar) { return bitgrid::square_root(a); });
}

TEST(ScalarWords, NumbersBecomeScalarsAndBack) {
  std::mt19937_64 random(5);
  Dag dag, back;
  const NodeId word = add_input(dag, "n", 40), exponent = add_input(dag, "e", kExponentBits);
  add_output(dag, "y", pack_scalar(dag, scalar(dag, word, exponent)));
  add_output(back, "y", whole(back, unpack_scalar(back, add_input(back, "a", kScalarWord))));
  for (int i = 0; i < 2000; ++i) {
    const uint64_t n = random_bits(random, 40);
    EXPECT_EQ(scalar_of_code(value_of(dag, {n, 4094})), bitgrid::scalar(static_cast<int64_t>(n), -2));
    const Scalar a = random_scalar(random, 80);
    EXPECT_EQ(value_of(back, {scalar_code(a)}), static_cast<uint64_t>(bitgrid::whole(a))) << a.m << " " << a.e;
  }
}

TEST(ScalarWords, ScalesAsTheDefinitionDoes) {
  std::mt19937_64 random(6);
  Dag dag;
  const NodeId v = add_input(dag, "v", 24);
  add_output(dag, "y", scaled(dag, v, unpack_scalar(dag, add_input(dag, "a", kScalarWord)), 47));
  for (int i = 0; i < 4000; ++i) {
    const int64_t x = signed_value(random_bits(random, 24), 24);
    const Scalar a = random_scalar(random, 70);
    if (std::abs(static_cast<double>(x) * static_cast<double>(a.m)) * std::exp2(static_cast<double>(a.e)) > 0x1p45) continue;
    EXPECT_EQ(signed_value(value_of(dag, {static_cast<uint64_t>(x), scalar_code(a)}), 47), bitgrid::scaled(x, a))
        << x << " " << a.m << " " << a.e;
  }
}

}  // namespace
}  // namespace bitgrid::scales
