// Late copies of words: on free edges only, all or none.
#include <gtest/gtest.h>

#include "lowering/mapping/matrix/delayed_taps.h"

namespace bitgrid::mapping {
namespace {

std::vector<size_t> lay_late_copies(Fabric& fabric, const std::vector<LateCopy>& copies) {
  std::vector<FabricWire> found;
  return find_late_copies(fabric, copies, found);
}

// The first copy would like to lose its last cycle on the only edge that the second can take.
TEST(LateCopies, ACopyWithoutChoiceGoesFirst) {
  Fabric fabric(5, 5, {});
  const FabricWire a{1, 1, Side::W, "E"}, b{2, 1, Side::N, "E"};
  fabric.take(a);
  fabric.take(b);
  EXPECT_TRUE(lay_late_copies(fabric, {{a, {2, 2, Side::E}, 4}}).empty());
  EXPECT_FALSE(fabric.free(2, 1, Side::S));

  Fabric both(5, 5, {});
  both.take(a);
  both.take(b);
  EXPECT_TRUE(lay_late_copies(both, {{a, {2, 2, Side::E}, 4}, {b, {2, 1, Side::S}, 0}}).empty());
  EXPECT_FALSE(both.free(2, 1, Side::S));
  EXPECT_FALSE(both.free(2, 2, Side::E));
}

TEST(LateCopies, WithoutRoomNoneIsLaid) {
  Fabric fabric(3, 1, {});
  const FabricWire word{0, 0, Side::W, "E"}, other{2, 0, Side::N, "E"};
  fabric.take(word);
  fabric.take(other);
  // Cell (0, 0) has no neighbour with which it could lose a cycle.
  EXPECT_EQ(lay_late_copies(fabric, {{other, {2, 0, Side::S}, 0}, {word, {0, 0, Side::S}, 2}}), std::vector<size_t>{1});
  EXPECT_TRUE(fabric.free(2, 0, Side::S));
  EXPECT_TRUE(fabric.free(0, 0, Side::S));
}

TEST(LateCopies, EdgesKeptForACopyStayKeptIfItFails) {
  Fabric fabric(3, 1, {});
  const FabricWire word{0, 0, Side::W, "E"};
  fabric.take(word);
  fabric.reserve({0, 0, Side::S});
  EXPECT_FALSE(lay_late_copies(fabric, {{word, {0, 0, Side::S}, 2, {{0, 0, Side::S}}}}).empty());
  EXPECT_FALSE(fabric.free(0, 0, Side::S));
}

}  // namespace
}  // namespace bitgrid::mapping
