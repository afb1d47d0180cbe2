// Wave forms around bad cells: what their sources say, at II = 1, with random bits on every bad output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ir/error.h"
#include "ir/kernel_defects.h"
#include "lowering/mapping/arrays/counter.h"
#include "lowering/mapping/arrays/ripple.h"
#include "lowering/mapping/arrays/ripple_detour.h"
#include "lowering/mapping/good_columns.h"
#include "lowering/mapping/map.h"
#include "lowering/mapping/planes/time_shared_plane.h"
#include "lowering/mapping/rows/row_layout.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "tests/lowering/blif_writer.h"
#include "tests/lowering/netlist_support.h"
#include "tests/support/plane.h"

namespace bitgrid::mapping {
namespace {

using testing::HasSubstr;

void expect_sound(const MappedKernel& kernel, const Dag& dag, const Defects& defects) {
  verify(kernel);
  EXPECT_EQ(kernel.ii, 1);
  EXPECT_FALSE(first_defect_used(kernel, defects));
  const BitMatrix batch = kernel.input_bits <= 12 ? all_values(kernel.input_bits) : random_batch(200, kernel.input_bits, 5);
  EXPECT_EQ(run_kernel(kernel, batch, defects), evaluate(dag, batch));
}

// Each form at several rates, of cells and of single edges.
void expect_around(const std::string& body, const std::string& strategy, int seeds = 4) {
  const Dag dag = dag_of(body);
  for (int seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(static_cast<uint64_t>(seed));
    MapParams params = in_wave_mode();
    params.defects = random_defects(300, 400, 0.005 * (seed % 4), 0.003 * (seed % 3), random);
    const MappedKernel kernel = map_kernel(synthesis::kernel_of(dag), params);
    EXPECT_EQ(kernel.strategy, strategy);
    expect_sound(kernel, dag, params.defects);
  }
}

std::string table_of(uint32_t inputs, uint32_t outputs, uint64_t (*f)(uint64_t)) {
  Dag dag;
  std::string text = "input a " + std::to_string(inputs) + "\nt:" + std::to_string(outputs) + " = lut a";
  for (uint64_t i = 0; i < uint64_t{1} << inputs; ++i) text += " " + to_hex(BitVector(outputs, f(i) & ((uint64_t{1} << outputs) - 1)));
  return text + "\noutput y t\n";
}

TEST(WaveAround, Ripples) {
  expect_around("input a 24\ninput b 24\ns:25 = add a b\noutput y s\n", "ripple");
  expect_around("input a 24\ninput b 24\ns:1 = less a b\noutput y s\n", "ripple");
  expect_around("input a 5\ninput b 5\ninput c 1\ns:6 = add a b\nt:6 = add s c\noutput y t\n", "ripple");
}

TEST(WaveAround, Counters) {
  expect_around("input a 20\nc:5 = popcount a\noutput y c\n", "counter");
  for (const auto& [inputs, outputs] : {std::pair{4u, 3u}, {5u, 3u}, {15u, 4u}, {16u, 5u}, {17u, 5u}, {30u, 3u}, {9u, 12u}, {100u, 7u}}) {
    const std::string in = std::to_string(inputs), out = std::to_string(outputs);
    const Dag dag = dag_of("input a " + in + "\nc:" + out + " = popcount a\noutput y c\n");
    for (int seed = 0; seed < 6; ++seed) {
      SCOPED_TRACE(in + " inputs, seed " + std::to_string(seed));
      std::mt19937_64 random(static_cast<uint64_t>(seed));
      const Defects defects = random_defects(300, 20, 0.004 * seed, 0.002 * (seed % 3), random);
      const auto kernel = counter_kernel("test", inputs, outputs, defects);
      ASSERT_TRUE(kernel);
      expect_sound(*kernel, dag, defects);
    }
  }
}

TEST(WaveAround, Planes) {
  expect_around(table_of(6, 12, [](uint64_t i) { return i * i; }), "plane");
  expect_around(table_of(8, 8, [](uint64_t i) { return 255 * 40 / (40 + i); }), "plane", 3);
}

TEST(WaveAround, Sweeps) {
  expect_around("input a 20\ninput b 20\nx:20 = xnor a b\nc:5 = popcount x\nt = constant 5 0xb\nl:1 = less c t\noutput y l\n",
                "row-layout");
  expect_around("input a 4\ninput b 4\ninput c 4\ninput d 4\ne:5 = add a b\nf:5 = add c d\ng:6 = add e f\noutput y g\noutput z e\n",
                "row-layout");
}

// A multiplier has no slack for detours: among defects it becomes a row layout.
TEST(WaveAround, MultipliersThatMeetADefectBecomeRowLayouts) {
  std::string text = "input a 4\ninput b 4\nzero = constant 4 0x0\n";
  for (int i = 0; i < 4; ++i) {
    const std::string n = std::to_string(i), width = std::to_string(4 + i), before = std::to_string(i - 1);
    text += "b" + n + ":1 = slice b " + n + "\nm" + n + ":4 = select b" + n + " a zero\n";
    if (i == 0) text += "p0:8 = concat zero m0\n";
    if (i > 0) text += "z" + n + " = constant " + n + " 0x0\ns" + n + ":" + width + " = concat m" + n + " z" + n + "\n";
    if (i > 0) text += "p" + n + ":8 = add p" + before + " s" + n + "\n";
  }
  const Dag dag = dag_of(text + "output p p3\n");
  MapParams params = in_wave_mode();
  params.defects = {{{3, 3}}, {}};
  expect_sound(map_kernel(synthesis::kernel_of(dag), params), dag, params.defects);
  EXPECT_EQ(map_kernel(synthesis::kernel_of(dag), params).strategy, "row-layout");
  params.defects = {{{30, 3}}, {}};
  EXPECT_EQ(map_kernel(synthesis::kernel_of(dag), params).strategy, "multiplier");
}

// The checks can fail: what relies on a bad cell is found, by its configuration and by its outputs.
TEST(WaveAround, MappingsThatIgnoreDefectsAreRefuted) {
  for (const std::string& body :
       {std::string("input a 8\ninput b 8\ns:9 = add a b\noutput y s\n"), std::string("input a 12\nc:4 = popcount a\noutput y c\n"),
        table_of(6, 12, [](uint64_t i) { return i * i; })}) {
    const Dag dag = dag_of(body);
    const MappedKernel plain = map_kernel(synthesis::kernel_of(dag), in_wave_mode());
    const BitMatrix batch = random_batch(200, plain.input_bits, 5);
    std::mt19937_64 random(4);
    int wrong = 0;
    for (int i = 0; i < 10; ++i) {
      const Defects defects{{{static_cast<int>(random() % static_cast<uint64_t>(plain.grid.width)),
                              static_cast<int>(random() % static_cast<uint64_t>(plain.grid.height))}},
                            {}};
      if (!first_defect_used(plain, defects)) continue;
      wrong += run_kernel(plain, batch, defects) != evaluate(dag, batch);
    }
    EXPECT_GT(wrong, 4) << plain.strategy;
  }
}

TEST(WaveAround, HopelessFabricIsSaidSo) {
  std::mt19937_64 random(12);
  MapParams params = in_wave_mode();
  params.defects = random_defects(400, 400, 0.97, 0, random);
  try {
    map_kernel(synthesis::kernel_of(dag_of("input a 12\nc:4 = popcount a\noutput y c\n")), params);
    FAIL() << "a layout on a fabric of bad cells";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("kernel test: wave mode (II = 1) takes 10 x 4 cells (counter) at the tile's north-west corner, where"));
    EXPECT_THAT(e.what(), HasSubstr("and no layout of at most 1000000 cells avoids them"));
    EXPECT_THAT(e.what(), HasSubstr("use --mode settle, which can place cells elsewhere, or a tile with fewer defects there"));
  }
}

TEST(WaveAround, SameSeedSameLayout) {
  const Dag dag = dag_of(table_of(8, 8, [](uint64_t i) { return i * i >> 8; }));
  std::mt19937_64 random(2);
  MapParams params = in_wave_mode();
  params.defects = random_defects(100, 200, 0.01, 0, random);
  EXPECT_EQ(map_kernel(synthesis::kernel_of(dag), params), map_kernel(synthesis::kernel_of(dag), params));
}

TEST(SharedPlane, SumsShareColumns) {
  std::vector<BitVector> table;
  for (uint64_t i = 0; i < 64; ++i) {
    table.emplace_back(64);
    table.back().set(static_cast<uint32_t>(i), true);
  }
  const synthesis::Esop decoder = synthesis::minimise_esop(table);
  const auto kernel = time_shared_plane("decoder", decoder, {});
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->grid.width, 6);  // five inputs and a sum
  EXPECT_EQ(kernel->grid.height, 64);
}

TEST(SharedPlane, InputsThatNoTermReadsAndConstantOutputs) {
  synthesis::Esop esop;
  esop.inputs = 3;
  esop.outputs = 3;
  esop.complement = BitVector(3, 0b010);
  esop.cubes.push_back({0b001, 0b001, BitVector(3, 0b100)});
  for (const Defects& defects : {Defects{}, Defects{{{0, 0}, {2, 1}}, {}}}) {
    const auto kernel = time_shared_plane("k", esop, defects);
    ASSERT_TRUE(kernel);
    verify(*kernel);
    const BitMatrix batch = all_values(3), got = run_kernel(*kernel, batch, defects);
    for (size_t r = 0; r < batch.rows; ++r) EXPECT_EQ(got.get_word(r, 0, 3), 0b010u | (batch.get(r, 0) ? 0b100u : 0u));
  }
}

TEST(Columns, EndWhereASignalCannotGoOnOrLeave) {
  const Columns columns({{{1, 5}}, {{1, 3, Side::E}, {1, 4, Side::E}, {2, 7, Side::S}}});
  EXPECT_EQ(columns.run(0, 0), Columns::kEndless);
  EXPECT_EQ(columns.run(1, 0), 3);  // it must leave in row 2: rows 3 and 4 pass nothing east
  EXPECT_EQ(columns.run(1, 6), Columns::kEndless);
  EXPECT_EQ(columns.run(2, 2), 5);
  EXPECT_FALSE(columns.good(1, 5, Side::N));
  EXPECT_TRUE(Columns().flawless());
}

}  // namespace
}  // namespace bitgrid::mapping
