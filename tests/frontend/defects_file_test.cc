#include "frontend/defects_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid::frontend {
namespace {

using testing::HasSubstr;

std::string defects_problem(const std::string& text) {
  return test::error_of([&] { parse_defects(text, "d.yaml"); });
}

TEST(DefectsFile, CellsAndEdges) {
  const Defects d = parse_defects("edges: [[4, 7, E], [4, 7, N]]\ncells:\n  - [9, 2]\n  - [3, 7]\n  - [9, 2]\n", "d.yaml");
  EXPECT_EQ(d.cells, (std::vector<BadCell>{{3, 7}, {9, 2}}));
  EXPECT_EQ(d.edges, (std::vector<BadEdge>{{4, 7, Side::N}, {4, 7, Side::E}}));
}

TEST(DefectsFile, RoundTrip) {
  std::mt19937_64 random(1);
  for (const double rate : {0.0, 0.2}) {
    const Defects d = random_defects(12, 9, rate, rate, random);
    EXPECT_EQ(parse_defects(print_defects(d), "d.yaml"), d);
  }
}

TEST(DefectsFile, ErrorsNameTheLine) {
  EXPECT_EQ(defects_problem("cells:\n  - [1, 2]\n  - [1]\n"), "d.yaml:3: cells.1 has 1 entries; write [x, y]");
  EXPECT_EQ(defects_problem("cells:\n  - [1, -2]\n"), "d.yaml:2: cells.0.1 is -2, outside 0 .. 16777215; choose a value in that range");
  EXPECT_EQ(defects_problem("edges:\n  - [1, 2, X]\n"), "d.yaml:2: edges.0.2 is not a side of a cell; write N, E, S or W");
  EXPECT_THAT(defects_problem("cells: 3\n"), HasSubstr("d.yaml:1: cells is `3`, not a list"));
  EXPECT_THAT(defects_problem("cell: [[1, 2]]\n"), HasSubstr("did you mean `cells`?"));
}

TEST(DefectsFile, MissingFileIsNamed) {
  EXPECT_THROW(load_defects("/nonexistent/defects.yaml"), Error);
}

// Whatever is done to the text: an Error or a list, nothing else.
TEST(DefectsFile, DamagedTexts) {
  std::mt19937_64 random(7);
  const std::string good = print_defects(random_defects(8, 8, 0.1, 0.05, random));
  for (int i = 0; i < 2000; ++i) {
    std::string text = good.substr(0, random() % 2 ? good.size() : random() % good.size());
    for (int flips = static_cast<int>(random() % 4); flips > 0 && !text.empty(); --flips)
      text[random() % text.size()] = static_cast<char>(random());
    defects_problem(text);
  }
}

}  // namespace
}  // namespace bitgrid::frontend
