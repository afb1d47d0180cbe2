// The steps of netlist mapping, one by one.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "frontend/blif.h"
#include "ir/error.h"
#include "lowering/mapping/netlist/annealer.h"
#include "lowering/mapping/netlist/compaction.h"
#include "lowering/mapping/netlist/packing.h"
#include "lowering/mapping/netlist/region_expansion.h"
#include "lowering/synthesis/logic_graph.h"
#include "lowering/synthesis/simplify.h"
#include "lowering/synthesis/techmap.h"
#include "tests/lowering/netlist_support.h"
#include "tests/support/random_dag.h"

namespace bitgrid::mapping {
namespace {

LutNetwork luts_of(const std::string& dag) {
  return synthesis::map_to_luts(synthesis::logic_graph(parse_dag(dag)));
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
  synthesis::LogicGraph g;
  const synthesis::Literal a = add_input(g, "a"), b = add_input(g, "b");
  EXPECT_EQ(synthesis::make_and(g, a, synthesis::make_not(a)), synthesis::kFalse);
  EXPECT_EQ(synthesis::make_and(g, a, synthesis::kTrue), a);
  EXPECT_EQ(synthesis::make_and(g, a, b), synthesis::make_and(g, b, a));
  EXPECT_EQ(synthesis::make_xor(g, a, synthesis::make_not(b)), synthesis::make_not(synthesis::make_xor(g, b, a)));
  EXPECT_EQ(synthesis::make_xor(g, a, synthesis::kTrue), synthesis::make_not(a));
  EXPECT_EQ(synthesis::make_select(g, a, synthesis::kTrue, synthesis::kFalse), a);
}

TEST(LogicGraph, FindsAnXorMadeOfAnds) {
  synthesis::LogicGraph g;
  const synthesis::Literal a = add_input(g, "a"), b = add_input(g, "b");
  const synthesis::Literal both = synthesis::make_and(g, a, b),
                           neither = synthesis::make_and(g, synthesis::make_not(a), synthesis::make_not(b));
  EXPECT_EQ(synthesis::make_and(g, synthesis::make_not(both), synthesis::make_not(neither)), synthesis::make_xor(g, a, b));
}

TEST(LogicGraph, TablesOfAllSizes) {
  for (uint32_t inputs = 0; inputs <= 8; ++inputs) {
    std::mt19937_64 rng(inputs);
    synthesis::LogicGraph g;
    std::vector<synthesis::Literal> operands;
    for (uint32_t i = 0; i < inputs; ++i) operands.push_back(add_input(g, "i" + std::to_string(i)));
    std::vector<uint64_t> table;
    for (size_t i = 0; i < (size_t{1} << inputs); ++i) table.push_back(rng() & 7);
    const std::vector<synthesis::Literal> out = synthesis::make_table(g, operands, table);
    for (unsigned o = 0; o < 3; ++o) g.outputs.push_back({"o" + std::to_string(o), out[o]});
    const LutNetwork network = synthesis::map_to_luts(g);
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
    const LutNetwork network = synthesis::map_to_luts(synthesis::logic_graph(dag));
    verify(network);
    const BitMatrix batch = random_batch(130, input_bits(dag), seed);
    ASSERT_EQ(evaluate(network, batch), evaluate(dag, batch)) << print(dag);
  }
}

TEST(Techmap, LutNetworksKeepTheirMeaning) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const LutNetwork before = random_network(8, 40, seed);
    const LutNetwork after = synthesis::map_to_luts(synthesis::logic_graph(before));
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
    const CoverNetwork source = frontend::read_blif((folder / (name + ".blif")).string());
    const LutNetwork network = synthesis::map_to_luts(synthesis::logic_graph(source));
    EXPECT_LE(static_cast<double>(network.nodes.size()), 1.05 * static_cast<double>(luts)) << name;
    const BitMatrix batch = random_batch(256, source.inputs.size(), 1);
    EXPECT_EQ(evaluate(network, batch), evaluate(source, batch)) << name;
  }
}

TEST(Techmap, FreeDepthSavesLuts) {
  const synthesis::LogicGraph graph = synthesis::logic_graph(parse_dag("dag t\ninput a 16\ninput b 16\nc:16 = add a b\noutput y c\n"));
  synthesis::TechmapParams params;
  synthesis::TechmapStats shallow, small;
  synthesis::map_to_luts(graph, params, &shallow);
  params.keep_depth = false;
  synthesis::map_to_luts(graph, params, &small);
  EXPECT_LT(small.luts, shallow.luts);
  EXPECT_GT(small.depth, shallow.depth);
}

TEST(Simplify, KeepsTheMeaningAndLeavesNoTrivialNode) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const LutNetwork before = random_network(7, 60, seed);
    const LutNetwork after = synthesis::simplify(before);
    verify(after);
    EXPECT_EQ(evaluate(after, all_values(7)), evaluate(before, all_values(7))) << "seed " << seed;
    for (const LutNode& node : after.nodes) EXPECT_GE(node.fanin_count, 2);
  }
}

TEST(Packing, HoldsEveryLutOnceWithinFourInputs) {
  const LutNetwork network = synthesis::simplify(random_network(12, 80, 3));
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

struct Fixture {
  LutNetwork network;
  PackedNetlist netlist;
  NetlistLayout layout;

  explicit Fixture(const char* text) : network(synthesis::simplify(luts_of(text))), netlist(pack(network)) {
    const Sites sites = regular_sites(9, 9, 2);
    layout = {place_on(netlist, sites, anneal(netlist, sites, {})), std::vector<NetRoute>(netlist.nets.size())};
  }
  bool route(const Defects& defects = {}) { return route_and_expand(netlist, layout, defects, {}); }
};
constexpr const char* kCount = "dag t\ninput a 24\nc:5 = popcount a\noutput y c\n";

// Each route is a tree from its driver to all its sinks along neighbouring cells, and no edge has two nets.
void expect_routed(const Fixture& f) {
  const Region region = f.layout.placement.region;
  std::set<uint32_t> used;
  for (size_t n = 0; n < f.netlist.nets.size(); ++n) {
    const Net& net = f.netlist.nets[n];
    const NetRoute& route = f.layout.routes[n];
    std::set<uint32_t> tree;
    for (const RouteHop& hop : route.hops) {
      EXPECT_TRUE(used.insert(hop.edge).second) << "edge " << hop.edge << " has two nets";
      const bool port = hop.edge >= 4 * region.cells();
      if (hop.from == kNowhere) {
        EXPECT_EQ(port ? hop.edge - 4 * region.cells() : hop.edge / 4, f.layout.placement.at[net.driver]);
      } else {
        EXPECT_TRUE(tree.contains(hop.from));
        const uint32_t from = hop.from < 4 * region.cells() ? hop.from / 4 : region.port_cell(hop.from - 4 * region.cells());
        const int far = std::abs(region.x(from) - region.x(hop.edge / 4)) + std::abs(region.y(from) - region.y(hop.edge / 4));
        EXPECT_EQ(far, hop.from < 4 * region.cells() ? 1 : 0);
      }
      tree.insert(hop.edge);
    }
    ASSERT_EQ(route.arrivals.size(), net.sinks.size());
    for (const uint32_t arrival : route.arrivals) EXPECT_TRUE(tree.contains(arrival));
  }
}

void expect_own_places(const Fixture& f) {
  std::set<uint32_t> cells, ins, outs;
  for (BlockId b = 0; b < f.netlist.blocks(); ++b)
    EXPECT_TRUE((f.netlist.is_cell(b) ? cells : f.netlist.is_input(b) ? ins : outs).insert(f.layout.placement.at[b]).second);
}

TEST(Routing, ClosedRoutesAreTreesOnTheirOwnEdges) {
  Fixture f(kCount);
  ASSERT_TRUE(f.route());
  expect_routed(f);
}

TEST(Routing, StretchesUntilItCloses) {
  Fixture f("dag t\ninput a 60\nc:6 = popcount a\noutput y c\n");
  const Region first = f.layout.placement.region;
  ASSERT_TRUE(f.route());
  EXPECT_GT(f.layout.placement.region.cells(), first.cells());
  expect_routed(f);
}

TEST(Routing, GoesRoundDefects) {
  Fixture f(kCount);
  std::mt19937_64 random(3);
  const Defects defects = random_defects(40, 40, 0.05, 0.02, random);
  ASSERT_TRUE(f.route(defects));
  expect_routed(f);
  expect_own_places(f);
  const Region region = f.layout.placement.region;
  const DefectMap map(defects, region.width, region.height);
  for (BlockId b = 0; b < f.netlist.cells.size(); ++b)
    EXPECT_FALSE(map.bad_cell(region.x(f.layout.placement.at[b]), region.y(f.layout.placement.at[b])));
  for (const NetRoute& route : f.layout.routes)
    for (const RouteHop& hop : route.hops)
      if (hop.edge < 4 * region.cells()) {
        EXPECT_FALSE(map.bad_edge(region.x(hop.edge / 4), region.y(hop.edge / 4), static_cast<Side>(hop.edge % 4)));
      }
}

TEST(NetlistLayout, NewLinesKeepRoutesWhole) {
  Fixture f(kCount);
  ASSERT_TRUE(f.route());
  const Region before = f.layout.placement.region;
  NewLines lines{std::vector<int>(static_cast<size_t>(before.width)), std::vector<int>(static_cast<size_t>(before.height))};
  lines.before_column[1] = lines.before_column.back() = 1;
  lines.before_row[4] = 2;
  insert_lines(f.netlist, f.layout, lines);
  EXPECT_EQ(f.layout.placement.region, (Region{before.width + 2, before.height + 2}));
  expect_routed(f);
  expect_own_places(f);
}

TEST(NetlistLayout, ALineThatCameIsRemovedWithoutATrace) {
  Fixture f(kCount);
  ASSERT_TRUE(f.route());
  const NetlistLayout before = f.layout;
  const Region region = before.placement.region;
  NewLines lines{std::vector<int>(static_cast<size_t>(region.width)), std::vector<int>(static_cast<size_t>(region.height))};
  lines.before_column[5] = 1;
  insert_lines(f.netlist, f.layout, lines);
  ASSERT_TRUE(remove_line(f.netlist, f.layout, true, 5));
  EXPECT_EQ(f.layout.placement.at, before.placement.at);
  expect_routed(f);
}

TEST(NetlistLayout, RemovingAUsedLineOpensWhatRanInIt) {
  Fixture f(kCount);
  ASSERT_TRUE(f.route());
  ASSERT_TRUE(remove_line(f.netlist, f.layout, false, 7));
  expect_own_places(f);
  ASSERT_TRUE(f.route());
  expect_routed(f);
}

TEST(Compaction, ShrinksAndStaysRouted) {
  Fixture f(kCount);
  ASSERT_TRUE(f.route());
  const Region before = f.layout.placement.region;
  CompactionStats stats;
  compact(f.netlist, f.layout, {}, {}, &stats);
  EXPECT_LT(f.layout.placement.region.cells(), before.cells());
  EXPECT_GT(stats.removed, 0);
  expect_routed(f);
  expect_own_places(f);
}

TEST(Placement, AnnealingShortensNetsAndKeepsPlaces) {
  Fixture f(kCount);
  expect_own_places(f);
  const Sites sites = regular_sites(8, 8, 1);
  AnnealingParams frozen;
  frozen.heat = 0;
  frozen.moves_per_block = 0;
  AnnealingStats scattered, annealed;
  anneal(f.netlist, sites, frozen, nullptr, &scattered);
  anneal(f.netlist, sites, {}, nullptr, &annealed);
  EXPECT_LT(annealed.wirelength, 0.6 * scattered.wirelength);
}

// Boxes of large nets follow the pins that move; a second run that starts from the result makes them anew.
TEST(Placement, LengthsOfLargeNetsAreKeptRight) {
  Fixture f("dag t\ninput s 1\ninput a 30\ninput b 30\nc:30 = select s a b\noutput y c\n");
  ASSERT_GE(f.netlist.nets.front().sinks.size(), 30u);
  const Sites sites = regular_sites(8, 6, 2);
  AnnealingStats first, again;
  const SitePlacement placement = anneal(f.netlist, sites, {}, nullptr, &first);
  AnnealingParams none;
  none.heat = 0;
  none.moves_per_block = 0;
  anneal(f.netlist, sites, none, &placement, &again);
  EXPECT_NEAR(again.wirelength, first.wirelength, 0.01 * first.wirelength);
}

// Nets across the fullest line, in the fuller direction.
double fullest(const PackedNetlist& netlist, const Sites& sites, const SitePlacement& placed) {
  const Placement placement = place_on(netlist, sites, placed);
  std::vector<int> east(static_cast<size_t>(sites.region.width)), west = east;
  for (const Net& net : netlist.nets) {
    const int x = sites.region.x(placement.cell_of(netlist, net.driver));
    int low = x, high = x;
    for (const BlockId b : net.sinks) {
      low = std::min(low, sites.region.x(placement.cell_of(netlist, b)));
      high = std::max(high, sites.region.x(placement.cell_of(netlist, b)));
    }
    for (int i = x; i < high; ++i) ++east[static_cast<size_t>(i)];
    for (int i = low; i < x; ++i) ++west[static_cast<size_t>(i)];
  }
  double worst = 0;
  for (size_t i = 0; i < east.size(); ++i) worst = std::max({worst, static_cast<double>(east[i]), static_cast<double>(west[i])});
  return worst;
}

TEST(Placement, EvennessUsesBothDirections) {
  const std::string text = "dag t\ninput a 64\nc:7 = popcount a\noutput y c\n";
  const LutNetwork network = synthesis::simplify(luts_of(text));
  const PackedNetlist netlist = pack(network);
  const Sites sites = regular_sites(11, 11, 2);
  double with = 0, without = 0;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    AnnealingParams params;
    params.seed = seed;
    params.moves_per_block = 4;
    without += fullest(netlist, sites, anneal(netlist, sites, params));
    params.evenness = 3;
    with += fullest(netlist, sites, anneal(netlist, sites, params));
  }
  EXPECT_LT(with, without);
}

TEST(Placement, StretchedSitesStayApartAndInside) {
  Sites sites = regular_sites(7, 5, 1);
  stretch_sites(sites, {23, 9});
  std::set<std::pair<int, int>> places;
  for (const GridPoint& p : sites.at) {
    EXPECT_TRUE(sites.region.is_inner(p.x, p.y));
    EXPECT_TRUE(places.emplace(p.x, p.y).second);
  }
}

TEST(Placement, RefusesARegionWithTooFewPorts) {
  const LutNetwork network = synthesis::simplify(luts_of(kCount));
  const PackedNetlist netlist = pack(network);
  const Sites sites = regular_sites(3, 2, 1);
  EXPECT_THROW(place_on(netlist, sites, {std::vector<uint32_t>(netlist.blocks()), 24}), Error);
}

}  // namespace
}  // namespace bitgrid::mapping
