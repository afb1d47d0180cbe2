#include "lowering/mapping/planes/folded_plane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/dag.h"
#include "ir/error.h"
#include "lowering/mapping/map.h"
#include "tests/lowering/netlist_support.h"
#include "tests/support/plane.h"

namespace bitgrid::mapping {
namespace {

using Table = std::vector<BitVector>;

/// `sparse`: a bit in that many is set.
Table random_table(uint32_t inputs, uint32_t outputs, unsigned sparse, uint64_t seed) {
  std::mt19937_64 rng(seed);
  Table table;
  for (size_t i = 0; i < (size_t{1} << inputs); ++i) {
    BitVector word(outputs);
    for (uint32_t o = 0; o < outputs; ++o) word.set(o, rng() % sparse == 0);
    table.push_back(word);
  }
  return table;
}

/// Output o is 1 for input value o.
Table decoder(uint32_t inputs) {
  Table table;
  for (size_t i = 0; i < (size_t{1} << inputs); ++i) {
    table.emplace_back(1u << inputs);
    table.back().set(static_cast<uint32_t>(i), true);
  }
  return table;
}

synthesis::PairedEsop paired(const Table& table) {
  return synthesis::pair_inputs(synthesis::minimise_esop(table));
}

size_t wrong_bits(const MappedKernel& kernel, const Table& table) {
  const BitMatrix inputs = all_values(kernel.input_bits);
  const BitMatrix got = run_kernel(kernel, inputs);
  size_t wrong = 0;
  for (size_t r = 0; r < inputs.rows; ++r)
    for (uint32_t o = 0; o < kernel.output_bits; ++o) wrong += got.get(r, o) != table[inputs.get_word(r, 0, kernel.input_bits)].get(o);
  return wrong;
}

TEST(PairedEsop, OfRandomTablesIsExactAndNoLonger) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    const Table table = random_table(1 + seed % 8, 1 + seed % 5, 1 + seed % 4, seed);
    const synthesis::Esop single = synthesis::minimise_esop(table);
    const synthesis::PairedEsop esop = synthesis::pair_inputs(single);
    EXPECT_EQ(evaluate(esop), table) << "seed " << seed;
    EXPECT_LE(esop.cubes.size(), single.cubes.size()) << "seed " << seed;
  }
}

TEST(PairedEsop, OfMoreThan64OutputsIsExact) {
  const Table table = random_table(5, 100, 2, 7);
  EXPECT_EQ(evaluate(paired(table)), table);
}

TEST(PairedEsop, AFunctionOfEachPairIsOneCube) {
  Table table;  // (a xor b) and (c or d), but a is paired with b only if the pairing is searched for
  for (unsigned i = 0; i < 16; ++i) table.emplace_back(1, ((i ^ i >> 2) & 1) & ((i >> 1 | i >> 3) & 1));
  EXPECT_EQ(paired(table).cubes.size(), 1u);
}

TEST(TwoWay, RandomTablesForAllInputs) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    const Table table = random_table(1 + seed % 9, 1 + seed % 11, 2 + seed % 9, seed);
    const synthesis::PairedEsop esop = paired(table);
    const MappedKernel kernel = folded_plane_kernel("t", esop, plan_folded_plane(esop, seed));
    EXPECT_EQ(wrong_bits(kernel, table), 0u) << "seed " << seed;
  }
}

TEST(TwoWay, BothPlansForAllInputs) {
  const Table table = random_table(6, 5, 2, 3);
  const synthesis::PairedEsop esop = paired(table);
  FoldedPlanePlan plan = plan_folded_plane(esop, 1);
  std::vector<uint32_t> sums = plan.east;
  sums.insert(sums.end(), plan.west.begin(), plan.west.end());
  for (const bool inside : {false, true}) {
    plan.inside = inside;
    plan.west.clear();
    plan.east = sums;
    plan.rows.clear();
    // Outside, all sums in the east: a product a row; inside, either way.
    for (int c = 0; c < static_cast<int>(esop.cubes.size()); ++c)
      plan.rows.push_back(inside && c % 2 == 0 ? FoldedPlanePlan::Row{c, -1} : FoldedPlanePlan::Row{-1, c});
    EXPECT_EQ(wrong_bits(folded_plane_kernel("t", esop, plan), table), 0u) << inside;
  }
}

TEST(PairedEsop, ProductsApartAreExactAndTheirOwn) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    Table table = random_table(5, 4, 2, seed);
    for (unsigned i = 0; i < 32; ++i) {
      table[i].set(1, (i & 6) == 4);
      table[i].set(3, (i & 25) != 9);  // the complement of a product
    }
    const synthesis::PairedEsop esop = synthesis::minimise_paired_esop(table, {}, 1000, true);
    EXPECT_EQ(evaluate(esop), table) << seed;
    const FoldedPlanePlan plan = plan_folded_plane(esop, 1);
    EXPECT_THAT(plan.direct, testing::IsSupersetOf({1u, 3u}));
    EXPECT_EQ(wrong_bits(folded_plane_kernel("t", esop, plan), table), 0u) << seed;
  }
}

TEST(TwoWay, ADecoderLeavesAtTheEndsOfItsRows) {
  const synthesis::PairedEsop esop = synthesis::minimise_paired_esop(decoder(6), {}, 1000, true);
  const FoldedPlanePlan plan = plan_folded_plane(esop, 1);
  EXPECT_EQ(plan.direct.size(), 64u);
  EXPECT_EQ(plan.cells(), 32 * 3);
  EXPECT_EQ(wrong_bits(folded_plane_kernel("t", esop, plan), decoder(6)), 0u);
}

TEST(TwoWay, ConstantsAndWires) {
  Table table;
  for (unsigned i = 0; i < 8; ++i) table.emplace_back(5, (i & 1) | (~i & 1) << 1 | 1 << 2 | 0 << 3 | (i >> 2 & 1) << 4);
  const synthesis::PairedEsop esop = paired(table);
  EXPECT_EQ(wrong_bits(folded_plane_kernel("t", esop, plan_folded_plane(esop, 1)), table), 0u);
  const Table constant(4, BitVector(2, 2));
  const synthesis::PairedEsop nothing = paired(constant);
  EXPECT_EQ(wrong_bits(folded_plane_kernel("t", nothing, plan_folded_plane(nothing, 1)), constant), 0u);
}

TEST(TwoWay, WithoutInputsIsRefused) {
  const synthesis::PairedEsop esop = paired(Table(1, BitVector(2, 1)));
  EXPECT_THROW(folded_plane_kernel("t", esop, plan_folded_plane(esop, 1)), Error);
}

MappedKernel settled(const Dag& dag, KernelReport* report = nullptr, const Defects& defects = {}) {
  MapParams params;
  params.mode = MapMode::kSettle;
  params.effort = Effort::kFast;
  params.defects = defects;
  Kernel kernel;
  kernel.name = "test";
  kernel.dag = dag;
  return map_kernel(kernel, params, report);
}

MappedKernel settled(const std::string& body, KernelReport* report = nullptr) {
  return settled(parse_dag("dag test\n" + body), report);
}

TEST(MapSettle, TakesTheSmallest) {
  EXPECT_EQ(settled("input a 8\ninput b 8\ns:9 = add a b\noutput y s\n").strategy, "ripple");
  EXPECT_EQ(settled("input x 48\nc:6 = popcount x\noutput y c\n").strategy, "counter");
  EXPECT_EQ(settled("input a 24\ninput b 24\nx:24 = xnor a b\nc:5 = popcount x\noutput y c\n").strategy, "netlist");
}

TEST(MapSettle, ReportsTheSizeOfWhatWasNotPlacedToo) {
  KernelReport report;
  settled("input a 8\ninput b 8\ns:9 = add a b\noutput y s\n", &report);
  EXPECT_FALSE(report.netlist);
  ASSERT_TRUE(report.size);
  EXPECT_GE(report.size->luts, 9u);
}

TEST(MapSettle, LeavesOutWhatReliesOnADefect) {
  Dag dag;
  dag.name = "decoder";
  add_output(dag, "y", add_lut(dag, add_input(dag, "x", 5), decoder(5)));
  EXPECT_EQ(settled(dag).strategy, "folded-plane");
  Defects defects;
  defects.cells = {{1, 1}};
  EXPECT_EQ(settled(dag, nullptr, defects).strategy, "netlist");
}

}  // namespace
}  // namespace bitgrid::mapping
