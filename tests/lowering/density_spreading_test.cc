// Where wires are wanted, and sites that make room for them.
#include "lowering/mapping/netlist/density_spreading.h"

#include <gtest/gtest.h>

#include <set>

#include "ir/error.h"
#include "lowering/mapping/netlist/demand.h"
#include "tests/support/random_dag.h"

namespace bitgrid::mapping {
namespace {

TEST(Demand, GoesEastAndWestOfTheDriver) {
  const Bins bins({12, 8}, 3);
  EXPECT_EQ(bins.size, 4);
  EXPECT_EQ(bins.columns, 3u);
  EXPECT_EQ(bins.rows, 2u);
  DemandMap demand(bins);
  demand.add({1, 1, 9, 1, 5, 1}, 2);  // four cells either side of (5, 1), in a row
  demand.sum();
  EXPECT_FLOAT_EQ(demand.at(0, 1, 0), 4);  // 8 edges E over two bins
  EXPECT_FLOAT_EQ(demand.at(0, 2, 0), 4);
  EXPECT_FLOAT_EQ(demand.at(0, 0, 0), 0);
  EXPECT_FLOAT_EQ(demand.at(1, 0, 0), 4);  // and W
  EXPECT_FLOAT_EQ(demand.at(1, 2, 0), 0);
  for (const size_t vertical : {2u, 3u})
    for (size_t bx = 0; bx < 3; ++bx) EXPECT_FLOAT_EQ(demand.at(vertical, bx, 0), 0);
}

TEST(Demand, TreesGrowWithTheirPins) {
  EXPECT_EQ(tree_weight(2), 1);
  EXPECT_EQ(tree_weight(3), 1);
  EXPECT_GT(tree_weight(20), tree_weight(10));
  EXPECT_EQ(tree_weight(100), tree_weight(1000));
}

struct Crowded {
  LutNetwork network;
  PackedNetlist netlist;
  Sites sites;
  SitePlacement placement;
};

// size x size cells; those of the first `crowded` columns read random others of these, the rest their western neighbour.
Crowded crowded_west(int size, int crowded) {
  Crowded c;
  std::mt19937_64 rng(3);
  c.network.name = "crowded";
  c.network.inputs = {"a"};
  auto node_at = [&](int x, int y) { return static_cast<SignalId>(1 + y * size + x); };
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      LutNode node;
      node.fanin_count = 2;
      node.table = 6;
      node.fanins[0] = 0;
      const auto pick = [&](int n) { return static_cast<int>(rng() % static_cast<unsigned>(n)); };
      node.fanins[1] = x >= crowded ? node_at(x - 1, y) : y > 0 ? node_at(pick(crowded), pick(y)) : 0;
      if (node.fanins[1] == 0) node = {.fanin_count = 1, .fanins = {0}, .table = 1};
      c.network.nodes.push_back(node);
      c.placement.place.push_back(static_cast<uint32_t>(y * size + x));
    }
  std::vector<PackedCell> cells;
  for (uint32_t n = 0; n < c.network.nodes.size(); ++n) {
    PackedCell cell{{n}, {}};
    for (const SignalId s : fanins(c.network.nodes[n])) cell.fanins.push_back(s);
    cells.push_back(cell);
  }
  c.network.outputs = {{"y", node_at(size - 1, size - 1), false}};
  c.netlist = packed(c.network, std::move(cells));
  c.sites = regular_sites(size, size, 1);
  c.placement.place.push_back(0);
  c.placement.place.push_back(0);
  c.placement.slots = c.sites.region.ports();
  return c;
}

double column_at(const Crowded& c, int column) {
  double sum = 0;
  for (int y = 0; y < c.sites.rows; ++y) sum += c.sites.at[static_cast<size_t>(y * c.sites.columns + column)].x;
  return sum / c.sites.rows / c.sites.region.width;
}

TEST(Spreading, WhereWiresAreWantedSitesGetMoreRoom) {
  Crowded c = crowded_west(24, 12);
  const Region to{120, 120};
  spread_sites(c.netlist, c.sites, c.placement, to, {.strength = 1});
  EXPECT_EQ(c.sites.region, to);
  EXPECT_GT(column_at(c, 12), 0.6);  // the west half of the sites has that much of the width
  std::set<uint32_t> cells;
  for (const GridPoint p : c.sites.at) {
    EXPECT_TRUE(to.is_inner(p.x, p.y));
    cells.insert(to.cell(p.x, p.y));
  }
  EXPECT_EQ(cells.size(), c.sites.at.size());
}

TEST(Spreading, StrengthZeroLeavesSitesEven) {
  Crowded c = crowded_west(24, 12);
  spread_sites(c.netlist, c.sites, c.placement, {120, 120}, {.strength = 0});
  EXPECT_NEAR(column_at(c, 12), 0.5, 0.02);
}

TEST(Spreading, SitesFindCellsWhereNoneAreLeftOver) {
  Crowded c = crowded_west(24, 12);
  spread_sites(c.netlist, c.sites, c.placement, {26, 26}, {.strength = 1});
  std::set<uint32_t> cells;
  for (const GridPoint p : c.sites.at) cells.insert(c.sites.region.cell(p.x, p.y));
  EXPECT_EQ(cells.size(), c.sites.at.size());
}

TEST(Spreading, WantedCellsDoNotDependOnTheRegionOfTheSites) {
  Crowded c = crowded_west(24, 12);
  auto wanted = [&](int size, double utilisation) {
    Sites sites = c.sites;
    stretch_sites(sites, {size, size});
    return wanted_cells(c.netlist, place_on(c.netlist, sites, c.placement), {.utilisation = utilisation, .least_area = 0});
  };
  EXPECT_NEAR(wanted(128, 0.7) / wanted(64, 0.7), 1, 0.15);
  EXPECT_NEAR(wanted(64, 0.35) / wanted(64, 0.7), 4, 1e-9);
}

}  // namespace
}  // namespace bitgrid::mapping
