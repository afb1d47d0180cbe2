#include "lowering/scales/words.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "ir/scalar.h"

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

TEST(Words, Lengths) {
  std::mt19937_64 random(3);
  Dag dag;
  add_output(dag, "y", bit_length(dag, add_input(dag, "a", 27)));
  for (int i = 0; i < 2000; ++i) {
    const uint64_t n = random_bits(random, 27);
    EXPECT_EQ(value_of(dag, {n}), static_cast<uint64_t>(std::bit_width(n)));
  }
}

}  // namespace
}  // namespace bitgrid::scales
