// The steps of netlist mapping, one by one.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "frontend/blif.h"
#include "ir/error.h"
#include "lowering/netlist/logic_graph.h"
#include "lowering/netlist/packing.h"
#include "lowering/netlist/routing.h"
#include "lowering/netlist/simplify.h"
#include "lowering/netlist/techmap.h"
#include "tests/lowering/netlist_support.h"
#include "tests/support/random_dag.h"

namespace bitgrid {
namespace {

LutNetwork luts_of(const std::string& dag) {
  return map_to_luts(logic_graph(parse_dag(dag)));
}

LutNetwork random_network(uint32_t inputs, uint32_t nodes, uint64_t seed) {
  std::mt19937_64 rng(seed);
  LutNetwork n;
  n.name = "random";
  for (uint32_t i = 0; i < inputs; ++i) n.inputs.push_back("i" + std::to_string(i));
  for (uint32_t k = 0; k < nodes; ++k) {
    std::set<SignalId> picked;
    for (uint64_t j = rng() % 5; j-- > 0;) picked.insert(static_cast<SignalId>(rng() % (inputs + k)));
    LutNode node;
    for (const SignalId s : picked) node.fanins[node.fanin_count++] = s;
    // Half of the tables do not depend on their last fan-in, or are constant.
    const unsigned entries = 1u << node.fanin_count;
    uint64_t table = rng();
    if (rng() % 2 == 0 && entries > 1) table = (table & ((1u << entries / 2) - 1)) * (1 + (uint64_t{1} << entries / 2));
    if (rng() % 8 == 0) table = 0;
    node.table = static_cast<uint16_t>(table & ((uint64_t{1} << entries) - 1));
    n.nodes.push_back(node);
  }
  for (uint32_t o = 0; o < 5; ++o)
    n.outputs.push_back({"o" + std::to_string(o), static_cast<SignalId>(rng() % (inputs + nodes)), (rng() & 1) != 0});
  verify(n);
  return n;
}

TEST(LogicGraph, FoldsAndShares) {
  LogicGraph g;
  const Literal a = add_input(g, "a"), b = add_input(g, "b");
  EXPECT_EQ(make_and(g, a, make_not(a)), kFalse);
  EXPECT_EQ(make_and(g, a, kTrue), a);
  EXPECT_EQ(make_and(g, a, b), make_and(g, b, a));
  EXPECT_EQ(make_xor(g, a, make_not(b)), make_not(make_xor(g, b, a)));
  EXPECT_EQ(make_xor(g, a, kTrue), make_not(a));
  EXPECT_EQ(make_select(g, a, kTrue, kFalse), a);
}

TEST(LogicGraph, FindsAnXorMadeOfAnds) {
  LogicGraph g;
  const Literal a = add_input(g, "a"), b = add_input(g, "b");
  const Literal both = make_and(g, a, b), neither = make_and(g, make_not(a), make_not(b));
  EXPECT_EQ(make_and(g, make_not(both), make_not(neither)), make_xor(g, a, b));
}

TEST(LogicGraph, TablesOfAllSizes) {
  for (uint32_t inputs = 0; inputs <= 8; ++inputs) {
    std::mt19937_64 rng(inputs);
    LogicGraph g;
    std::vector<Literal> operands;
    for (uint32_t i = 0; i < inputs; ++i) operands.push_back(add_input(g, "i" + std::to_string(i)));
    std::vector<uint64_t> table;
    for (size_t i = 0; i < (size_t{1} << inputs); ++i) table.push_back(rng() & 7);
    const std::vector<Literal> out = make_table(g, operands, table);
    for (unsigned o = 0; o < 3; ++o) g.outputs.push_back({"o" + std::to_string(o), out[o]});
    const LutNetwork network = map_to_luts(g);
    const BitMatrix in = all_values(inputs);
    const BitMatrix got = evaluate(network, in);
    for (size_t r = 0; r < in.rows; ++r) ASSERT_EQ(got.get_word(r, 0, 3), table[inputs == 0 ? 0 : in.get_word(r, 0, inputs)]);
  }
}

TEST(Techmap, RandomDagsKeepTheirMeaning) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 rng(seed);
    test::RandomDagParams params;
    params.max_width = seed % 3 == 0 ? 70 : 9;
    const Dag dag = test::random_dag(rng, params);
    const LutNetwork network = map_to_luts(logic_graph(dag));
    verify(network);
    const BitMatrix batch = random_batch(130, input_bits(dag), seed);
    ASSERT_EQ(evaluate(network, batch), evaluate(dag, batch)) << print(dag);
  }
}

TEST(Techmap, LutNetworksKeepTheirMeaning) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const LutNetwork before = random_network(8, 40, seed);
    const LutNetwork after = map_to_luts(logic_graph(before));
    ASSERT_EQ(evaluate(after, all_values(8)), evaluate(before, all_values(8))) << "seed " << seed;
  }
}

TEST(Techmap, AFullAdderIsTwoLuts) {
  EXPECT_EQ(luts_of("dag t\ninput a 1\ninput b 1\ninput c 1\ns:2 = add a b\nt:2 = add s c\noutput y t\n").nodes.size(), 2u);
}

TEST(Techmap, Popcount64TakesAtMost123Luts) {
  EXPECT_LE(luts_of("dag t\ninput a 64\nc:7 = popcount a\noutput y c\n").nodes.size(), 123u);  // as many as ABC
}

// LUT4s and depth of ABC (Debian's berkeley-abc): read_blif; strash; if -K 4.
TEST(Techmap, NeedsNoMoreThanAbcOnTheSharedCircuits) {
  const std::filesystem::path folder = std::filesystem::path(BITGRID_SHARED_CASES) / "epfl";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const std::map<std::string, size_t> abc = {{"adder", 339},    {"bar", 1408},   {"cavlc", 288},    {"ctrl", 54},
                                             {"dec", 288},      {"i2c", 542},    {"int2float", 93}, {"max", 1057},
                                             {"priority", 327}, {"router", 130}, {"sin", 1915}};
  for (const auto& [name, luts] : abc) {
    const CoverNetwork source = read_blif((folder / (name + ".blif")).string());
    const LutNetwork network = map_to_luts(logic_graph(source));
    EXPECT_LE(static_cast<double>(network.nodes.size()), 1.05 * static_cast<double>(luts)) << name;
    const BitMatrix batch = random_batch(256, source.inputs.size(), 1);
    EXPECT_EQ(evaluate(network, batch), evaluate(source, batch)) << name;
  }
}

TEST(Techmap, FreeDepthSavesLuts) {
  const LogicGraph graph = logic_graph(parse_dag("dag t\ninput a 16\ninput b 16\nc:16 = add a b\noutput y c\n"));
  TechmapParams params;
  TechmapStats shallow, small;
  map_to_luts(graph, params, &shallow);
  params.keep_depth = false;
  map_to_luts(graph, params, &small);
  EXPECT_LE(small.luts, shallow.luts);
  EXPECT_GE(small.depth, shallow.depth);
}

TEST(Simplify, KeepsTheMeaningAndLeavesNoTrivialNode) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const LutNetwork before = random_network(7, 60, seed);
    const LutNetwork after = simplify(before);
    verify(after);
    EXPECT_EQ(evaluate(after, all_values(7)), evaluate(before, all_values(7))) << "seed " << seed;
    for (const LutNode& node : after.nodes) EXPECT_GE(node.fanin_count, 2);
  }
}

TEST(Packing, HoldsEveryLutOnceWithinFourInputs) {
  const LutNetwork network = simplify(random_network(12, 80, 3));
  const PackedNetlist packed = pack(network);
  std::multiset<uint32_t> held;
  for (const PackedCell& cell : packed.cells) {
    EXPECT_LE(cell.fanins.size(), 4u);
    EXPECT_LE(cell.luts.size(), 4u);
    held.insert(cell.luts.begin(), cell.luts.end());
    for (const uint32_t lut : cell.luts)
      for (const SignalId f : fanins(network.nodes[lut])) EXPECT_TRUE(std::binary_search(cell.fanins.begin(), cell.fanins.end(), f));
  }
  EXPECT_EQ(held.size(), network.nodes.size());
  EXPECT_EQ(std::set<uint32_t>(held.begin(), held.end()).size(), network.nodes.size());
}

TEST(Packing, AFullAdderIsOneCell) {
  const LutNetwork network = luts_of("dag t\ninput a 1\ninput b 1\ninput c 1\ns:2 = add a b\nt:2 = add s c\noutput y t\n");
  EXPECT_EQ(pack(network).cells.size(), 1u);
}

// Each route is a tree from its driver to all its sinks, and no edge has two nets.
TEST(Routing, ClosedRoutesAreTreesOnTheirOwnEdges) {
  const LutNetwork network = simplify(luts_of("dag t\ninput a 24\nc:5 = popcount a\noutput y c\n"));
  const PackedNetlist netlist = pack(network);
  const Region region{20, 20};
  Placement placement = place(netlist, region);
  const Routing routing = route(netlist, placement);
  ASSERT_TRUE(routing.closed());
  std::set<uint32_t> used;
  for (size_t n = 0; n < netlist.nets.size(); ++n) {
    const Net& net = netlist.nets[n];
    std::set<uint32_t> tree;
    for (const RouteHop& hop : routing.routes[n].hops) {
      EXPECT_TRUE(used.insert(hop.edge).second) << "edge " << hop.edge << " has two nets";
      const bool port = hop.edge >= 4 * region.cells();
      if (hop.from == kNowhere)
        EXPECT_EQ(port ? placement.at[net.driver] : hop.edge / 4, port ? hop.edge - 4 * region.cells() : placement.at[net.driver]);
      else
        EXPECT_TRUE(tree.contains(hop.from));
      tree.insert(hop.edge);
    }
    for (const uint32_t arrival : routing.routes[n].arrivals) EXPECT_TRUE(tree.contains(arrival));
  }
}

TEST(Placement, PutsEachBlockOnItsOwnPlace) {
  const LutNetwork network = simplify(luts_of("dag t\ninput a 24\nc:5 = popcount a\noutput y c\n"));
  const PackedNetlist netlist = pack(network);
  const Placement placement = place(netlist, {16, 16});
  std::set<uint32_t> cells, ins, outs;
  for (BlockId b = 0; b < netlist.blocks(); ++b)
    EXPECT_TRUE((netlist.is_cell(b) ? cells : netlist.is_input(b) ? ins : outs).insert(placement.at[b]).second);
}

TEST(Placement, RefusesARegionThatIsTooSmall) {
  const LutNetwork network = simplify(luts_of("dag t\ninput a 24\nc:5 = popcount a\noutput y c\n"));
  EXPECT_THROW(place(pack(network), {3, 3}), Error);
  EXPECT_THROW(place(pack(network), {8, 8}), Error);  // 9 sites
}

}  // namespace
}  // namespace bitgrid
