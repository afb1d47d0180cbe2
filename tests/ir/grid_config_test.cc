#include "ir/grid_config.h"

#include <gtest/gtest.h>

namespace bitgrid {
namespace {

TEST(GridConfig, StraightThroughCellIsTheDocumentedWord) {
  // N output = S input, E output = W input, S output = N input, W output = E input.
  EXPECT_EQ(cell_word({kFromS, kFromW, kFromN, kFromE}), 0xFB73EA62D951C840u);
}

TEST(GridConfig, WordAndTablesAreInverse) {
  const std::array<Lut, 4> luts = {0x1234, 0xBEEF, 0x0F1E, 0xC3A5};
  EXPECT_EQ(cell_luts(cell_word(luts)), luts);
}

}  // namespace
}  // namespace bitgrid
