#include "tests/support/plane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ir/error.h"
#include "lowering/mapping/planes/time_shared_plane.h"
#include "tests/lowering/netlist_support.h"

namespace bitgrid::mapping {
namespace {

using Table = std::vector<BitVector>;

Table random_table(uint32_t inputs, uint32_t outputs, uint64_t seed) {
  std::mt19937_64 rng(seed);
  Table table;
  for (size_t i = 0; i < (size_t{1} << inputs); ++i) {
    BitVector word(outputs);
    for (uint32_t o = 0; o < outputs; ++o) word.set(o, rng() & 1);
    table.push_back(word);
  }
  return table;
}

Table exp_table() {
  Table table;
  for (int i = 0; i < 256; ++i) table.emplace_back(8, static_cast<uint64_t>(std::lround(std::exp(-i / 16.0) * 255)));
  return table;
}

// Clipped square of the positive part of a 7-bit offset-binary number.
Table relu2_table() {
  Table table;
  for (int i = 0; i < 128; ++i) {
    const int x = std::max(0, i - 64);
    table.emplace_back(8, static_cast<uint64_t>(std::min(255, x * x >> 3)));
  }
  return table;
}

void expect_kernel_is(const MappedKernel& kernel, const Table& table) {
  const BitMatrix inputs = all_values(kernel.input_bits);
  const BitMatrix got = run_kernel(kernel, inputs);
  size_t wrong = 0;
  for (size_t r = 0; r < inputs.rows; ++r) {
    const uint64_t index = kernel.input_bits == 0 ? 0 : inputs.get_word(r, 0, kernel.input_bits);
    for (uint32_t o = 0; o < kernel.output_bits; ++o) wrong += got.get(r, o) != table[index].get(o);
  }
  EXPECT_EQ(wrong, 0u);
}

TEST(Esop, OfRandomTablesIsExact) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const Table table = random_table(seed % 8, 1 + seed % 5, seed);
    EXPECT_EQ(evaluate(synthesis::minimise_esop(table)), table) << "seed " << seed;
  }
}

TEST(Esop, OfMoreThan64OutputsIsExact) {
  const Table table = random_table(4, 150, 3);
  EXPECT_EQ(evaluate(synthesis::minimise_esop(table)), table);
}

TEST(Esop, OfExpTakesAtMost50Cubes) {
  synthesis::EsopStats stats;
  EXPECT_EQ(evaluate(synthesis::minimise_esop(exp_table(), {}, &stats)), exp_table());
  EXPECT_LE(stats.cubes, 50u);  // ABC &exorcism: 51
}

TEST(Esop, OfRelu2TakesAtMost31Cubes) {
  synthesis::EsopStats stats;
  synthesis::minimise_esop(relu2_table(), {}, &stats);
  EXPECT_LE(stats.cubes, 31u);  // ABC &exorcism: 31
}

TEST(Esop, OfParityIsOneCubePerInput) {
  Table table;
  for (unsigned i = 0; i < 256; ++i) table.emplace_back(1, static_cast<unsigned>(__builtin_popcount(i)) & 1);
  EXPECT_EQ(synthesis::minimise_esop(table).cubes.size(), 8u);
}

TEST(Esop, ComplementOfAnOutputCostsNothing) {
  Table table(16, BitVector(1, 1));
  table[5] = BitVector(1, 0);
  EXPECT_EQ(synthesis::minimise_esop(table).cubes.size(), 1u);
}

TEST(Esop, SameSeedGivesTheSameCubes) {
  EXPECT_EQ(synthesis::minimise_esop(exp_table()), synthesis::minimise_esop(exp_table()));
}

TEST(Esop, RefusesATableOfTheWrongSize) {
  try {
    synthesis::minimise_esop(Table(3, BitVector(1)));
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("3 words are not a power of two; give a word for every value"));
  }
}

TEST(Esop, RefusesWordsOfDifferentWidths) {
  EXPECT_THROW(synthesis::minimise_esop({BitVector(1), BitVector(2)}), Error);
  EXPECT_THROW(synthesis::minimise_esop({}), Error);
}

TEST(Plane, OfRandomTablesSimulatesExactly) {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    const Table table = random_table(seed % 7, 1 + seed % 4, seed);
    SCOPED_TRACE(seed);
    expect_kernel_is(map_plane("t", table), table);
  }
}

TEST(Plane, OfExpSimulatesExactlyAtIiOne) {
  const MappedKernel kernel = map_plane("exp", exp_table());
  EXPECT_EQ(kernel.ii, 1);
  EXPECT_EQ(kernel.grid.width, 16);
  expect_kernel_is(kernel, exp_table());
}

TEST(TimeSharedPlane, IsSmallerThanThePlainForm) {
  for (uint32_t seed = 1; seed <= 24; ++seed) {
    const synthesis::Esop esop = synthesis::minimise_esop(random_table(1 + seed % 7, 1 + seed % 5, seed));
    EXPECT_LT(cells_of(*time_shared_plane("t", esop, {})), cells_of(plane_kernel("t", esop))) << seed;
  }
}

TEST(Plane, OfConstantsHasOneRow) {
  const Table table(4, BitVector(3, 5));
  const MappedKernel kernel = map_plane("five", table);
  EXPECT_EQ(kernel.grid.height, 1);
  expect_kernel_is(kernel, table);
}

TEST(Plane, AChangedCellIsNoticed) {
  MappedKernel kernel = map_plane("exp", exp_table());
  kernel.grid.at(3, 5) ^= 0x4444'4444'4444'4444;  // the south output
  const BitMatrix inputs = all_values(8);
  EXPECT_NE(run_kernel(kernel, inputs), run_kernel(map_plane("exp", exp_table()), inputs));
}

TEST(Plane, StacksOnAnotherPlaneOfTheSameInputs) {
  const Table a = random_table(5, 3, 1), b = random_table(5, 3, 2);
  const synthesis::Esop upper = synthesis::minimise_esop(a), lower = synthesis::minimise_esop(b);
  MappedKernel kernel = plane_kernel("sum", upper);
  const int rows = plane_height(upper);
  GridConfig grid(8, rows + plane_height(lower));
  place_plane(grid, 0, 0, upper);
  place_plane(grid, 0, rows, lower, false);
  kernel.grid = grid;
  for (BitSlot& out : kernel.outputs) out.phase += plane_height(lower);
  Table sum = a;
  for (size_t i = 0; i < sum.size(); ++i) sum[i].words[0] ^= b[i].words[0];
  expect_kernel_is(kernel, sum);
}

TEST(Plane, RefusesAGridThatIsTooSmall) {
  GridConfig grid(4, 4);
  EXPECT_THROW(place_plane(grid, 0, 0, synthesis::minimise_esop(random_table(5, 3, 1))), Error);
}

TEST(Plane, OfADagIsItsTruthTable) {
  const Dag dag = parse_dag("dag twice\ninput a 5\nt:6 = add a a\noutput y t\n");
  expect_kernel_is(map_plane(dag), truth_table(dag));
}

}  // namespace
}  // namespace bitgrid::mapping
