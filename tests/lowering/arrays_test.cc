// Arithmetic as regular arrays: ripple rows, multipliers, counters.
#include <gtest/gtest.h>

#include <filesystem>

#include "lowering/mapping/arrays/counter.h"
#include "lowering/mapping/arrays/multiplier.h"
#include "lowering/mapping/arrays/ripple.h"
#include "lowering/mapping/arrays/ripple_detour.h"
#include "lowering/synthesis/full_adders.h"
#include "tests/lowering/blif_writer.h"
#include "tests/lowering/netlist_support.h"

namespace bitgrid::mapping {
namespace {

synthesis::LogicGraph graph_of(const std::string& body) {
  return synthesis::logic_graph(parse_dag("dag test\n" + body));
}

// All values if they are few, else random ones.
BitMatrix batch_for(const synthesis::LogicGraph& graph) {
  const auto bits = static_cast<uint32_t>(graph.inputs.size());
  return bits <= 16 ? all_values(bits) : random_batch(500, bits, 7);
}

BitMatrix evaluate(const synthesis::LogicGraph& graph, const BitMatrix& batch) {
  BitMatrix result(batch.rows, graph.outputs.size());
  std::vector<uint8_t> value(graph.nodes.size());
  for (size_t r = 0; r < batch.rows; ++r) {
    size_t input = 0;
    const auto of = [&](synthesis::Literal l) { return (value[l / 2] ^ l) & 1u; };
    for (size_t n = 1; n < graph.nodes.size(); ++n) {
      const synthesis::LogicNode& node = graph.nodes[n];
      if (node.kind == synthesis::LogicNode::Kind::kInput)
        value[n] = batch.get(r, input++);
      else
        value[n] = static_cast<uint8_t>(node.kind == synthesis::LogicNode::Kind::kAnd ? of(node.a) & of(node.b) : of(node.a) ^ of(node.b));
    }
    for (size_t o = 0; o < graph.outputs.size(); ++o) result.set(r, o, of(graph.outputs[o].literal));
  }
  return result;
}

void expect_wave(const MappedKernel& kernel, const synthesis::LogicGraph& graph) {
  EXPECT_EQ(kernel.ii, 1);
  const BitMatrix batch = batch_for(graph);
  EXPECT_EQ(run_kernel(kernel, batch), evaluate(graph, batch));
}

void expect_ripple(const synthesis::LogicGraph& graph, size_t cells) {
  const auto kernel = map_ripple(graph);
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->grid.cells.size(), cells);
  expect_wave(*kernel, graph);
}

synthesis::LogicGraph flat_adder(int bits, bool prefix) {
  BlifWriter b;
  const BlifWord x = b.inputs("x", bits), y = b.inputs("y", bits);
  b.outputs("s", prefix ? prefix_sum(b, x, y) : ripple_sum(b, x, y, b.zero()));
  return synthesis::logic_graph(b.network());
}

TEST(Ripple, AdderOfADagIsOneCellABit) {
  expect_ripple(graph_of("input a 8\ninput b 8\ns:9 = add a b\noutput out_s s\n"), 8);
}
TEST(Ripple, SubtracterIsOneCellABit) {
  expect_ripple(graph_of("input a 8\ninput b 8\ns:8 = subtract a b\noutput out_s s\n"), 8);
}
TEST(Ripple, ComparatorIsOneCellABit) {
  expect_ripple(graph_of("input a 8\ninput b 8\nc:1 = less a b\noutput out_c c\n"), 8);
}
TEST(Ripple, WordsOfDifferentWidths) {
  expect_ripple(graph_of("input a 9\ninput b 3\ns:10 = add a b\noutput out_s s\n"), 9);
}
TEST(Ripple, IncrementIsHalfACellABit) {
  expect_ripple(graph_of("input a 12\none = constant 1 0x1\ns:12 = add a one\noutput out_s s\n"), 6);
}
TEST(Ripple, CarryInEntersFromTheWest) {
  expect_ripple(graph_of("input a 7\ninput b 7\ninput c 1\nt:8 = add a b\ns:8 = add t c\noutput out_s s\n"), 7);
}
TEST(Ripple, CompareAndAddTogether) {
  expect_ripple(graph_of("input a 6\ninput b 6\ns:7 = add a b\noutput out_s s\n"), 6);
}
TEST(Ripple, WideGateIsHalfACellAnInput) {
  BlifWriter b;
  const BlifWord x = b.inputs("x", 14);
  b.output("y", b.gate(x, "1-0-1-0-1-0-11 1\n"));
  expect_ripple(synthesis::logic_graph(b.network()), 7);
}
TEST(Ripple, FlatAdders) {
  for (const bool prefix : {false, true})
    for (const int bits : {1, 2, 5, 8, 32}) expect_ripple(flat_adder(bits, prefix), static_cast<size_t>(bits));
}
TEST(Ripple, ConstantOutputsFindAPort) {
  expect_ripple(graph_of("input a 4\ninput b 4\ns:5 = add a b\nk = constant 3 0x5\noutput out_s s\noutput out_k k\n"), 4);
}
TEST(Ripple, EpflAdderIs128Cells) {
  const auto path = std::filesystem::path(BITGRID_SHARED_CASES) / "epfl" / "adder.blif";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the shared circuits are absent";
  expect_ripple(synthesis::logic_graph(frontend::read_blif(path.string())), 128);
}
TEST(Ripple, AMultiplierIsNone) {
  BlifWriter b;
  const BlifWord x = b.inputs("x", 4), y = b.inputs("y", 4);
  b.outputs("p", array_product(b, x, y));
  EXPECT_FALSE(map_ripple(synthesis::logic_graph(b.network())));
}
TEST(Ripple, ADamagedAdderIsNone) {
  BlifWriter b;
  const BlifWord x = b.inputs("x", 8), y = b.inputs("y", 8);
  BlifWord s = ripple_sum(b, x, y, b.zero());
  s[6] = b.xor2(s[6], b.and2(x[1], y[3]));
  b.outputs("s", s);
  EXPECT_FALSE(map_ripple(synthesis::logic_graph(b.network())));
}
/// The row that the recognition gives is the plan; the detours lay the same row where nothing is bad.
TEST(Ripple, WithoutDefectsADetourIsTheRowItself) {
  for (const synthesis::LogicGraph& graph : {flat_adder(8, true), graph_of("input a 6\ninput b 6\nl:1 = less a b\noutput y l\n"),
                                             graph_of("input a 5\ninput b 5\ninput c 1\ns:6 = add a b\nt:6 = add s c\noutput y t\n")}) {
    const MappedKernel row = *map_ripple(graph), laid = *ripple_detour(row, {});
    EXPECT_EQ(laid.grid.cells, row.grid.cells);
    EXPECT_EQ(laid.outputs, row.outputs);
    EXPECT_EQ(laid.inputs, row.inputs);
  }
}

TEST(Ripple, AChangedCellIsNoticed) {
  const synthesis::LogicGraph graph = flat_adder(8, false);
  MappedKernel kernel = *map_ripple(graph);
  kernel.grid.at(4, 0) ^= 0x0000'0020'0000'0000;  // one entry of a carry
  const BitMatrix batch = batch_for(graph);
  EXPECT_NE(run_kernel(kernel, batch), evaluate(graph, batch));
}

Product product_of(uint32_t a_bits, uint32_t b_bits, uint32_t outputs) {
  Product p;
  for (uint32_t i = 0; i < a_bits; ++i) p.a.push_back(i);
  for (uint32_t i = 0; i < b_bits; ++i) p.b.push_back(a_bits + i);
  p.outputs = outputs;
  return p;
}

void expect_product(uint32_t a_bits, uint32_t b_bits, uint32_t outputs) {
  SCOPED_TRACE(std::to_string(a_bits) + " x " + std::to_string(b_bits));
  const MappedKernel kernel = product_kernel("p", product_of(a_bits, b_bits, outputs));
  const BitMatrix batch = a_bits + b_bits <= 16 ? all_values(a_bits + b_bits) : random_batch(300, a_bits + b_bits, 3);
  const BitMatrix got = run_kernel(kernel, batch);
  for (size_t r = 0; r < batch.rows; ++r) {
    const uint64_t p = batch.get_word(r, 0, a_bits) * batch.get_word(r, a_bits, b_bits);
    ASSERT_EQ(got.get_word(r, 0, outputs), outputs < 64 ? p & ((uint64_t{1} << outputs) - 1) : p) << "row " << r;
  }
}

TEST(ArrayMultiplier, EveryShapeUpToFiveBits) {
  for (uint32_t a = 1; a <= 5; ++a)
    for (uint32_t b = 1; b <= 5; ++b) expect_product(a, b, a + b);
}
TEST(ArrayMultiplier, EightByEightOnAllValues) {
  expect_product(8, 8, 16);
}
TEST(ArrayMultiplier, OfThirtyTwoBits) {
  expect_product(32, 32, 64);
}
TEST(ArrayMultiplier, TruncatedAndPaddedProducts) {
  expect_product(4, 4, 4);
  expect_product(4, 3, 5);
  expect_product(3, 3, 9);
}
TEST(ArrayMultiplier, EightByEightTakes391Cells) {
  EXPECT_EQ(product_kernel("p", product_of(8, 8, 16)).grid.cells.size(), 391u);
}
TEST(ArrayMultiplier, IsFoundInFlatNetlists) {
  for (const bool tree : {false, true}) {
    BlifWriter b;
    const BlifWord x = b.inputs("x", 8), y = b.inputs("y", 8);
    b.outputs("p", tree ? tree_product(b, x, y) : array_product(b, x, y));
    const synthesis::LogicGraph graph = synthesis::logic_graph(b.network());
    const auto product = find_product(graph);
    ASSERT_TRUE(product);
    expect_wave(product_kernel("p", *product), graph);
  }
}
TEST(ArrayMultiplier, ADamagedOneIsNotFound) {
  BlifWriter b;
  const BlifWord x = b.inputs("x", 6), y = b.inputs("y", 6);
  BlifWord p = tree_product(b, x, y);
  p[7] = b.xor2(p[7], b.gate({x[0], x[1], x[2], x[3], x[4], x[5], y[0], y[5]}, "10110101 1\n"));
  b.outputs("p", p);
  EXPECT_FALSE(find_product(synthesis::logic_graph(b.network())));
}

TEST(Counter, EveryWidthUpToFifteen) {
  for (uint32_t n = kLeastCounterInputs; n <= 15; ++n) {
    const synthesis::LogicGraph graph = graph_of("input a " + std::to_string(n) + "\nc:6 = popcount a\noutput out_c c\n");
    EXPECT_TRUE(is_counter(graph)) << n;
    expect_wave(counter_kernel("c", n, 6).value(), graph);
  }
}
TEST(Counter, Of64InputsTakes372Cells) {
  const synthesis::LogicGraph graph = graph_of("input a 64\nc:7 = popcount a\noutput out_c c\n");
  EXPECT_TRUE(is_counter(graph));
  const MappedKernel kernel = counter_kernel("c", 64, 7).value();
  EXPECT_EQ(kernel.grid.cells.size(), 372u);
  expect_wave(kernel, graph);
  BitMatrix ones(2, 64);
  for (uint32_t i = 0; i < 64; ++i) ones.set(0, i, true);
  EXPECT_EQ(run_kernel(kernel, ones).get_word(0, 0, 7), 64u);
}
TEST(Counter, Truncated) {
  const synthesis::LogicGraph graph = graph_of("input a 13\nc:2 = popcount a\noutput out_c c\n");
  EXPECT_TRUE(is_counter(graph));
  expect_wave(counter_kernel("c", 13, 2).value(), graph);
}
/// covers: sums of three bits as one table of four products.
BlifWriter flat_counter(int bits, bool damaged, bool covers = false) {
  BlifWriter b;
  std::vector<BlifWord> column(8);
  column[0] = b.inputs("x", bits);
  BlifWord count;
  for (size_t k = 0; k < 7; ++k) {
    while (column[k].size() > 1) {
      const std::string a = column[k][0], d = column[k][1], e = column[k].size() > 2 ? column[k][2] : b.zero();
      column[k].erase(column[k].begin(), column[k].begin() + (column[k].size() > 2 ? 3 : 2));
      column[k].push_back(covers ? b.gate({a, d, e}, "100 1\n010 1\n001 1\n111 1\n") : b.xor2(b.xor2(a, d), e));
      const bool wrong = damaged && k == 2 && column[k].size() == 2;
      column[k + 1].push_back(wrong ? b.and2(a, d) : b.majority3(a, d, e));
    }
    count.push_back(column[k][0]);
  }
  b.outputs("c", count);
  return b;
}
TEST(Counter, OfFlatAddersIsFound) {
  EXPECT_TRUE(is_counter(synthesis::logic_graph(flat_counter(64, false).network())));
  EXPECT_FALSE(is_counter(synthesis::logic_graph(flat_counter(64, true).network())));
  EXPECT_TRUE(is_counter(synthesis::logic_graph(flat_counter(64, false, true).network())));
  EXPECT_FALSE(is_counter(synthesis::logic_graph(flat_counter(64, true, true).network())));
}
TEST(ArrayMultiplier, Of16BitsIsFoundByItsAdders) {
  for (const bool tree : {false, true}) {
    BlifWriter b;
    const BlifWord x = b.inputs("x", 16), y = b.inputs("y", 16);
    b.outputs("p", tree ? tree_product(b, x, y) : array_product(b, x, y));
    EXPECT_TRUE(find_product(synthesis::logic_graph(b.network()))) << tree;
  }
}
TEST(ArrayMultiplier, ADamagedOneOf16BitsIsNotFound) {
  BlifWriter b;
  const BlifWord x = b.inputs("x", 16), y = b.inputs("y", 16);
  BlifWord p = array_product(b, x, y);
  p[9] = b.xor2(p[9], b.gate({x[0], x[1], x[2], y[0], y[5]}, "10111 1\n"));
  b.outputs("p", p);
  EXPECT_FALSE(find_product(synthesis::logic_graph(b.network())));
}
TEST(HalfAdders, SameFunctionWithFewerGates) {
  BlifWriter b;
  const BlifWord x = b.inputs("x", 6), y = b.inputs("y", 6);
  b.outputs("p", array_product(b, x, y));
  const synthesis::LogicGraph before = synthesis::logic_graph(b.network()), after = synthesis::with_half_adders(before);
  EXPECT_LT(synthesis::gate_count(after), synthesis::gate_count(before));
  EXPECT_EQ(evaluate(after, all_values(12)), evaluate(before, all_values(12)));
}

TEST(Counter, SomethingElseIsNone) {
  EXPECT_FALSE(is_counter(graph_of("input a 9\nb:8 = slice a 0\nc:4 = popcount b\noutput out_c c\n")));
}

}  // namespace
}  // namespace bitgrid::mapping
