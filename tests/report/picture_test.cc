#include "report/picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/property_tree/xml_parser.hpp>
#include <random>
#include <sstream>

#include "report/cell_roles.h"
#include "report/picture_areas.h"
#include "report/picture_ports.h"
#include "report/svg.h"

namespace bitgrid::report {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Lut kXor3 = 0x9696, kMaj3 = 0xE8E8;  // of N, E, S

/// Two cells: an input from the west passes (0, 0), is complemented in (1, 0), and leaves to the east.
MappedKernel inverter() {
  MappedKernel k;
  k.name = "inverter";
  k.strategy = "netlist";
  k.grid = GridConfig(2, 1);
  k.grid.at(0, 0) = cell_word({Lut{0}, kFromW, Lut{0}, Lut{0}});
  k.grid.at(1, 0) = cell_word({Lut{0}, static_cast<Lut>(~kFromW), Lut{0}, Lut{0}});
  k.input_bits = k.output_bits = 1;
  k.inputs = {{0, {Side::W, 0, 0}, 1}};
  k.outputs = {{Side::E, 0, 1}};
  return k;
}

/// Random configurations with a port here and there.
MappedKernel random_kernel(int width, int height, unsigned seed) {
  std::mt19937_64 random(seed);
  MappedKernel k;
  k.name = "random";
  k.grid = GridConfig(width, height);
  for (CellWord& cell : k.grid.cells) cell = random() % 3 == 0 ? 0 : random();
  k.inputs = {{0, {Side::N, 0, 0}, 1}};
  k.outputs = {{Side::N, 0, 2}};
  k.input_bits = k.output_bits = 1;
  return k;
}

bool is_xml(const std::string& text) {
  std::istringstream in(text);
  boost::property_tree::ptree tree;
  try {
    boost::property_tree::read_xml(in, tree);
  } catch (const boost::property_tree::xml_parser_error&) {
    return false;
  }
  return tree.count("svg") == 1;
}

CellRole role_of(const std::array<Lut, 4>& luts) {
  MappedKernel k;
  k.grid = GridConfig(1, 1);
  k.grid.at(0, 0) = cell_word(luts);
  return cell_roles(k).roles[0];
}

TEST(CellRoles, AllZerosIsIdle) {
  EXPECT_EQ(role_of({0, 0, 0, 0}), CellRole::kIdle);
}
TEST(CellRoles, CopiesAreWires) {
  EXPECT_EQ(role_of({kFromS, 0, kFromN, kFromE}), CellRole::kWire);
}
TEST(CellRoles, AnInverterIsLogic) {
  EXPECT_EQ(role_of({kFromS, 0x5555, 0, 0}), CellRole::kLogic);
}
TEST(CellRoles, AConstantOneIsLogic) {
  EXPECT_EQ(role_of({0xFFFF, 0, 0, 0}), CellRole::kLogic);
}
TEST(CellRoles, SumAndMajorityAdd) {
  EXPECT_EQ(role_of({0, kXor3, kMaj3, 0}), CellRole::kAdd);
}
TEST(CellRoles, SumAndBorrowSubtract) {
  EXPECT_EQ(role_of({0, kXor3, 0x8E8E, 0}), CellRole::kSubtract);
}
TEST(CellRoles, ASumWithoutCarryIsLogic) {
  EXPECT_EQ(role_of({0, kXor3, 0, 0}), CellRole::kLogic);
}

TEST(CellRoles, AResidentCellNeedsWhatEitherContentNeeds) {
  MappedKernel k = inverter();
  k.residents = {{0, 1, 0, k.grid.at(1, 0), cell_word({Lut{0}, kFromN, Lut{0}, Lut{0}})}};
  const CellRoles r = cell_roles(k);
  EXPECT_EQ(r.roles[1], CellRole::kResident);
  EXPECT_EQ(r.edges[1][1].support, 0b1001);  // N or W
}

TEST(CellRoles, SignalsAreTracedThroughCopies) {
  const CellRoles r = cell_roles(inverter());
  EXPECT_EQ(r.signals[0][1], Signal::kInput);
  EXPECT_EQ(r.signals[1][1], Signal::kOutput);
}

TEST(CellRoles, AWireFromAnUndrivenPortCarriesNothing) {
  MappedKernel k = inverter();
  k.inputs[0].slot = {Side::N, 0, 0};
  EXPECT_EQ(cell_roles(k).signals[0][1], Signal::kNone);
}

TEST(CellRoles, ARingOfCopiesCarriesNothing) {
  MappedKernel k;
  k.grid = GridConfig(2, 1);
  k.grid.at(0, 0) = cell_word({Lut{0}, kFromE, Lut{0}, Lut{0}});
  k.grid.at(1, 0) = cell_word({Lut{0}, Lut{0}, Lut{0}, kFromW});
  EXPECT_EQ(cell_roles(k).signals[0][1], Signal::kNone);
}

TEST(Picture, NamesKernelSizeAndTimes) {
  EXPECT_THAT(kernel_svg(inverter()),
              HasSubstr("netlist · 2 × 1 = 2 cells, 2 used · II 1 cycle · latency 1 cycle · 1 input bit, 1 output bit"));
}

TEST(Picture, PortsSayWhichBitsPassAndWhen) {
  const std::string svg = kernel_svg(inverter());
  EXPECT_THAT(svg, HasSubstr("<title>W 0: input bits 0, from phase 0 on</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>E 0: output bits 0, from phase 1 on</title>"));
}

TEST(Picture, EqualKernelsGiveEqualBytes) {
  EXPECT_EQ(kernel_svg(random_kernel(30, 20, 1)), kernel_svg(random_kernel(30, 20, 1)));
}
TEST(Picture, AChangedCellShows) {
  MappedKernel k = inverter();
  k.grid.at(0, 0) = 0;
  EXPECT_NE(kernel_svg(k), kernel_svg(inverter()));
}

TEST(Picture, DetailIsXml) {
  EXPECT_TRUE(is_xml(kernel_svg(random_kernel(30, 20, 2))));
}
TEST(Picture, OverviewIsXml) {
  EXPECT_TRUE(is_xml(kernel_svg(random_kernel(30, 20, 2), {.detail_cells = 0})));
}
TEST(Picture, NamesAreEscaped) {
  MappedKernel k = inverter();
  k.name = "a<b>&\"c\"";
  EXPECT_TRUE(is_xml(kernel_svg(k)));
}

TEST(Picture, StaysWithinItsBytesWhateverTheKernel) {
  for (const auto& [width, height] : {std::pair{70, 70}, {300, 200}, {2000, 30}, {1, 5000}}) {
    EXPECT_LE(kernel_svg(random_kernel(width, height, 3)).size(), PictureParams{}.max_bytes) << width << " x " << height;
  }
}

TEST(Picture, ABlockShowsWhatMostOfItsCellsDo) {
  MappedKernel k;
  k.grid = GridConfig(4, 2);  // left block: three adders; right block: one adder, three idle cells
  for (const auto& [x, y] : {std::pair{0, 0}, {1, 0}, {0, 1}, {2, 0}}) k.grid.at(x, y) = cell_word({0, kXor3, kMaj3, 0});
  const CellRoles cells = cell_roles(k);
  EXPECT_EQ(coarsen(cells, cell_paints(cells, true), 2).paint,
            (std::vector<uint8_t>{static_cast<uint8_t>(CellRole::kAdd), static_cast<uint8_t>(CellRole::kIdle)}));
}

TEST(Picture, AreasCoverEveryCellOnce) {
  PaintGrid grid{13, 11, 1, {}};
  std::mt19937_64 random(4);
  long long painted = 0;
  for (int i = 0; i < 13 * 11; ++i) {
    grid.paint.push_back(static_cast<uint8_t>(random() % 3));
    painted += grid.paint.back() != 0;
  }
  long long covered = 0;
  const std::string svg = area_paths(grid, 1, 0, 0);
  for (size_t at = svg.find('h'); at != std::string::npos; at = svg.find('h', at + 1)) {
    long long width = 0, height = 0;
    if (std::sscanf(svg.c_str() + at, "h%lldv%lld", &width, &height) == 2) covered += width * height;
  }
  EXPECT_EQ(covered, painted);
}

TEST(Picture, BitsOfAWordAreARange) {
  EXPECT_EQ(bits_label({4, 5, 6, 7}), "7:4");
}
TEST(Picture, BitsThatDoNotFollowEachOtherAreCounted) {
  EXPECT_EQ(bits_label({4, 6}), "2 bits");
}

TEST(Svg, PathsAreRelative) {
  SvgPath p;
  p.move(10, 20);
  p.line(10, 15);
  p.move(12, 15);
  p.line(13, 17);
  EXPECT_EQ(p.d(), "M10 20v-5m2 0l1 2");
}

TEST(Svg, NumbersHaveCommas) {
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(-1234567), "-1,234,567");
  EXPECT_EQ(with_commas(-123), "-123");
}

}  // namespace
}  // namespace bitgrid::report
