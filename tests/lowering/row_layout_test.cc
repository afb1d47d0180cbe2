// Any logic at II = 1 by a row layout.
#include "lowering/mapping/rows/row_layout.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/lowering/blif_writer.h"
#include "tests/lowering/netlist_support.h"

namespace bitgrid::mapping {
namespace {

RowLayoutParams quick() {
  RowLayoutParams params;
  params.max_tries = 12;
  return params;
}

template <typename Source>
void expect_layout(const Source& source, size_t inputs, const RowLayoutParams& params = quick()) {
  RowLayoutStats stats;
  const auto kernel = map_row_layout(synthesis::logic_graph(source), params, &stats);
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->ii, 1);
  const BitMatrix batch = inputs <= 16 ? all_values(static_cast<uint32_t>(inputs)) : random_batch(300, inputs, 5);
  EXPECT_EQ(run_kernel(*kernel, batch), evaluate(source, batch));
}

void expect_layout_of(const std::string& body) {
  const Dag dag = parse_dag("dag test\n" + body);
  expect_layout(dag, input_bits(dag));
}

TEST(Sweep, OneGate) {
  expect_layout_of("input a 1\ninput b 1\nc:1 = and a b\noutput y c\n");
}
TEST(Sweep, FullAdder) {
  expect_layout_of("input a 3\nc:2 = popcount a\noutput y c\n");
}
TEST(Sweep, WiresInvertersConstantsAndUnusedInputs) {
  expect_layout_of("input a 2\ninput unused 9\nn:2 = not a\nc = constant 3 0x5\noutput w a\noutput i n\noutput k c\noutput v a\n");
}
TEST(Sweep, ConstantsAlone) {
  expect_layout_of("input a 1\nc = constant 3 0x5\noutput k c\n");
}
TEST(Sweep, AnOutputThatIsUsedAndLeavesTwice) {
  expect_layout_of("input a 2\ninput b 2\nc:2 = and a b\nd:2 = xor c b\ne:2 = not c\noutput c1 c\noutput d1 d\noutput e1 e\noutput c2 c\n");
}
TEST(Sweep, AdderSubtracterComparatorPopcount) {
  expect_layout_of("input a 8\ninput b 8\ns:9 = add a b\noutput y s\n");
  expect_layout_of("input a 8\ninput b 8\ns:8 = subtract a b\noutput y s\n");
  expect_layout_of("input a 8\ninput b 8\ns:1 = less a b\noutput y s\n");
  expect_layout_of("input a 16\ns:5 = popcount a\noutput y s\n");
}
TEST(Sweep, FlatMultiplier) {
  for (const bool tree : {false, true}) {
    BlifWriter b;
    const BlifWord x = b.inputs("x", 8), y = b.inputs("y", 8);
    b.outputs("p", tree ? tree_product(b, x, y) : array_product(b, x, y));
    expect_layout(b.network(), 16);
  }
}
TEST(Sweep, RandomTables) {
  std::mt19937_64 rng(3);
  for (int k = 0; k < 20; ++k) {
    Dag dag;
    dag.name = "t";
    const uint32_t inputs = 1 + k % 7;
    std::vector<BitVector> table;
    for (size_t i = 0; i < (size_t{1} << inputs); ++i) table.emplace_back(3, rng() & 7);
    add_output(dag, "y", add_lut(dag, add_input(dag, "a", inputs), table));
    expect_layout(dag, inputs);
  }
}
TEST(Sweep, EpflCircuits) {
  if (!have_epfl()) GTEST_SKIP() << "the shared circuits are absent";
  for (const char* name : {"ctrl", "int2float", "router", "cavlc", "dec", "priority", "i2c", "adder"}) {
    const CoverNetwork network = epfl(name);
    SCOPED_TRACE(name);
    RowLayoutParams params = quick();
    params.max_cells = 4'000'000;
    expect_layout(network, network.inputs.size(), params);
  }
}
TEST(Sweep, RefusesWhatIsTooLarge) {
  RowLayoutParams params;
  params.max_cells = 20;
  EXPECT_FALSE(map_row_layout(synthesis::logic_graph(parse_dag("dag t\ninput a 16\nc:5 = popcount a\noutput y c\n")), params));
}
TEST(Sweep, SameSeedSameKernel) {
  const synthesis::LogicGraph graph = synthesis::logic_graph(parse_dag("dag t\ninput a 16\nc:5 = popcount a\noutput y c\n"));
  EXPECT_EQ(map_row_layout(graph, quick()), map_row_layout(graph, quick()));
}
TEST(Sweep, AChangedCellIsNoticed) {
  const Dag dag = parse_dag("dag t\ninput a 8\nc:4 = popcount a\noutput y c\n");
  MappedKernel kernel = *map_row_layout(synthesis::logic_graph(dag), quick());
  const BitMatrix batch = all_values(8);
  size_t noticed = 0, used = 0;
  for (CellWord& word : kernel.grid.cells) {
    if (word == 0) continue;
    ++used;
    const CellWord good = std::exchange(word, ~word);
    noticed += run_kernel(kernel, batch) != evaluate(dag, batch);
    word = good;
  }
  EXPECT_GT(noticed, used / 2);
}

}  // namespace
}  // namespace bitgrid::mapping
