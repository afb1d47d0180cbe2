#include "ir/defects.h"

#include <gtest/gtest.h>

namespace bitgrid {
namespace {

TEST(Defects, MergeSortsAndDropsDuplicates) {
  const Defects a{{{2, 1}, {0, 3}}, {{1, 1, Side::W}}}, b{{{2, 1}}, {{1, 1, Side::E}, {1, 1, Side::W}}};
  EXPECT_EQ(merge(a, b), (Defects{{{0, 3}, {2, 1}}, {{1, 1, Side::E}, {1, 1, Side::W}}}));
}

TEST(Defects, ClipTakesTheRegionsCoordinates) {
  const Defects d{{{0, 0}, {5, 6}, {9, 6}}, {{4, 5, Side::S}, {3, 5, Side::S}}};
  EXPECT_EQ(clip(d, 5, 2, 4, 5), (Defects{{{1, 1}}, {{0, 0, Side::S}}}));
}

TEST(Defects, MapKnowsCellsAndEdges) {
  const DefectMap map(Defects{{{1, 2}}, {{3, 0, Side::E}}}, 4, 3);
  EXPECT_TRUE(map.bad_cell(1, 2));
  EXPECT_TRUE(map.bad_edge(1, 2, Side::N));
  EXPECT_FALSE(map.bad_cell(3, 0));
  EXPECT_TRUE(map.bad_edge(3, 0, Side::E));
  EXPECT_FALSE(map.bad_edge(3, 0, Side::W));
  EXPECT_TRUE(map.touched(3, 0));
  EXPECT_FALSE(map.touched(0, 0));
  EXPECT_FALSE(map.bad_cell(-1, 9));
}

TEST(Defects, RandomOnesComeAtTheirRateAndFromTheSeed) {
  std::mt19937_64 a(5), b(5);
  const Defects d = random_defects(100, 100, 0.02, 0.01, a);
  EXPECT_NEAR(static_cast<double>(d.cells.size()), 200, 60);
  EXPECT_NEAR(static_cast<double>(d.edges.size()), 392, 80);
  EXPECT_EQ(d, random_defects(100, 100, 0.02, 0.01, b));
}

}  // namespace
}  // namespace bitgrid
