#include "report/congestion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/property_tree/xml_parser.hpp>
#include <random>
#include <sstream>

#include "tests/support/errors.h"

namespace bitgrid::report {
namespace {

using testing::HasSubstr;
using testing::Not;

Congestion region(int width, int height) {
  return {width, height, std::vector<uint16_t>(4 * static_cast<size_t>(width) * static_cast<size_t>(height))};
}

boost::property_tree::ptree parse(const std::string& text) {
  std::istringstream in(text);
  boost::property_tree::ptree tree;
  boost::property_tree::read_xml(in, tree);
  return tree;
}

TEST(Congestion, CountsNetsBeyondTheFirst) {
  Congestion c = region(2, 2);
  c.users = {0, 1, 2, 5, 1, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(overuse(c), 1 + 4 + 2);
}

TEST(Congestion, AnOverusedEdgeIsARedBarOnItsSide) {
  Congestion c = region(3, 2);
  EXPECT_THAT(congestion_svg(c, "t"), Not(HasSubstr("<path fill=\"#d1242f\"")));
  c.users[4 * 4 + 1] = 3;  // cell (1, 1), E
  const std::string svg = congestion_svg(c, "t");
  EXPECT_THAT(svg, HasSubstr("<path fill=\"#d1242f\" d=\"M70 72h2v16h-2z\"/>"));  // 24 pixels a cell, from (24, 44) on
  EXPECT_THAT(svg, HasSubstr("1 edges are wanted by several nets, 2 nets too many"));
}

TEST(Congestion, BorderInputsAreDrawnWhereTheyEnter) {
  Congestion c = region(3, 2);
  c.users.resize(4 * 6 + 10);
  c.users[4 * 6 + 3 + 2 + 3 + 1] = 2;  // W1
  EXPECT_THAT(congestion_svg(c, "t"), HasSubstr("<path fill=\"#d1242f\" d=\"M24 72h1v16h-1z\"/>"));
}

TEST(Congestion, IsXmlWhateverTheTitle) {
  EXPECT_EQ(parse(congestion_svg(region(4, 4), "<a> & \"b\"")).count("svg"), 1u);
}

TEST(Congestion, LargeRegionsStayReadable) {
  std::mt19937_64 random(1);
  Congestion c = region(300, 200);
  for (uint16_t& users : c.users) users = static_cast<uint16_t>(random() % 4 == 0 ? random() % 4 : 0);
  const std::string svg = congestion_svg(c, "large");
  EXPECT_EQ(parse(svg).count("svg"), 1u);
  EXPECT_THAT(svg, HasSubstr("width=\"1248\""));
  EXPECT_LT(svg.size(), 3'000'000u);
}

TEST(Congestion, AWrongNumberOfEdgesIsRefused) {
  Congestion c = region(2, 2);
  c.users.pop_back();
  EXPECT_THAT(test::error_of([&] { congestion_svg(c, "t"); }), HasSubstr("15 edges do not fit a region of 2 x 2 cells"));
}

}  // namespace
}  // namespace bitgrid::report
