#include "lowering/mapping/canvas.h"

#include <gtest/gtest.h>

namespace bitgrid::mapping {
namespace {

TEST(Layout, TablesOfCopiesAreTheDocumentedOnes) {
  EXPECT_EQ(lut([](bool n, bool, bool, bool) { return n; }), 0xAAAA);
  EXPECT_EQ(lut([](bool, bool, bool, bool w) { return w; }), 0xFF00);
}

TEST(Layout, WireLeavesThroughEachSide) {
  Layout g(2, 2);
  g.wire(0, 0, Side::W, "ES");
  EXPECT_FALSE(g.is_free(0, 0, Side::E));
  EXPECT_FALSE(g.is_free(1, 0, Side::S));
  EXPECT_EQ(g.config().at(1, 0), cell_word({0, 0, kFromW, 0}));
}

TEST(Layout, DelayPathHasTheWantedLengthAndEndsThere) {
  const Layout g(2, 6);
  for (int hops = 7; hops <= 17; hops += 2) {  // (1, 5) to (0, 5): the distance is odd, the last move leaves the grid
    const auto path = find_delay_path(g, 1, 5, 0, 5, Side::S, hops + 1, {0, 0, 1, 5});
    ASSERT_TRUE(path) << hops;
    EXPECT_EQ(path->size(), static_cast<size_t>(hops + 1));
    EXPECT_EQ(path->back(), 'S');
  }
}

TEST(Layout, NoDelayPathOfTheWrongParity) {
  const Layout g(2, 4);
  EXPECT_FALSE(find_delay_path(g, 1, 3, 0, 3, Side::S, 7, {0, 0, 1, 3}));
}

}  // namespace
}  // namespace bitgrid::mapping
