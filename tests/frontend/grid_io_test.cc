#include "frontend/grids/grid_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <random>

#include "ir/error.h"
#include "ir/file.h"
#include "tests/support/errors.h"
#include "tests/support/random_grid.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::frontend {
namespace {

using test::error_of;
using test::random_grid;
using testing::HasSubstr;

const std::string kCases = std::string(BITGRID_SHARED_CASES) + "/bitgrid/";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(File, Crc32OfTheCheckString) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926u);
}

TEST(File, MissingFileIsNamed) {
  EXPECT_THAT(error_of([] { read_file("no/such/file"); }), HasSubstr("no/such/file: cannot be opened: No such file"));
}

TEST(File, WriteReplacesAndLeavesNoTemporary) {
  const test::ScratchFolder scratch;
  const std::filesystem::path& folder = scratch.path();
  write_file((folder / "a").string(), "first");
  write_file((folder / "a").string(), std::string("second\0x", 8));
  EXPECT_EQ(read_file((folder / "a").string()), std::string("second\0x", 8));
  EXPECT_THAT(error_of([&] { write_file(folder.string(), "x"); }), HasSubstr("cannot be written"));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++files;
  EXPECT_EQ(files, 1u);
}

TEST(GridIo, LutgridRoundTrip) {
  const GridConfig grid = random_grid(7, 5, 1);
  EXPECT_EQ(parse_lutgrid(print_lutgrid(grid), "g"), grid);
  EXPECT_EQ(parse_lutgrid(print_lutgrid(GridConfig(3, 2)), "g"), GridConfig(3, 2));
}

TEST(GridIo, BgbsRoundTripInAllOrders) {
  for (const BgbsOrder order : {BgbsOrder::kRow, BgbsOrder::kColumn, BgbsOrder::kSnake}) {
    const GridConfig grid = random_grid(7, 5, 2);
    const BgbsGrid read = parse_bgbs(print_bgbs(grid, order), "g");
    EXPECT_EQ(read.grid, grid);
    EXPECT_EQ(read.order, order);
    EXPECT_TRUE(read.crc_ok);
  }
}

TEST(GridIo, BgbsOrdersPlaceCellsAsDocumented) {
  GridConfig grid(2, 2);
  for (size_t i = 0; i < 4; ++i) grid.cells[i] = cell_word({static_cast<Lut>(i), 0, 0, 0});  // north LUT = 0, 1 / 2, 3
  const auto norths = [&](BgbsOrder order) {
    const std::string bytes = print_bgbs(grid, order);
    return std::vector<int>{bytes[24], bytes[32], bytes[40], bytes[48]};
  };
  EXPECT_EQ(norths(BgbsOrder::kRow), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(norths(BgbsOrder::kColumn), (std::vector<int>{0, 2, 1, 3}));
  EXPECT_EQ(norths(BgbsOrder::kSnake), (std::vector<int>{0, 1, 3, 2}));
}

TEST(GridIo, GridTextRoundTrip) {
  GridFile file{random_grid(5, 3, 3), {}};
  EXPECT_EQ(parse_grid_text(print_grid_text(file), "g").grid, file.grid);
  for (uint8_t i = 0; i < 15; ++i) file.initial_inputs.push_back(i);
  EXPECT_EQ(parse_grid_text(print_grid_text(file), "g").initial_inputs, file.initial_inputs);
}

TEST(GridIo, GridTextTakesLowerCaseBlanksAndCarriageReturns) {
  const GridFile file = parse_grid_text("2 1\r\n\r\nfb73ea62d951c840   1\r\nin\r\n5 A\r\n\r\n", "g");
  EXPECT_EQ(file.grid.cells, (std::vector<CellWord>{0xFB73EA62D951C840u, 1}));
  EXPECT_EQ(file.initial_inputs, (std::vector<uint8_t>{5, 10}));
}

TEST(GridIo, ReadsTheOtherEnginesPairAndWritesItsBytes) {
  if (!std::filesystem::exists(kCases)) GTEST_SKIP() << kCases << " is absent";
  const GridConfig json = read_grid(kCases + "py_random12x10_lutgrid.json").grid;
  const std::string bytes = read_file(kCases + "py_random12x10_row-major.bgbs");
  EXPECT_EQ(parse_bgbs(bytes, "g").grid, json);
  EXPECT_EQ(print_bgbs(json), bytes);
}

TEST(GridIo, ReadGridKnowsTheFormatByItsContent) {
  const test::ScratchFolder folder;
  const std::string path = folder.file("grid");
  const GridConfig grid = random_grid(4, 3, 4);
  for (const std::string& data : {print_lutgrid(grid), print_bgbs(grid), print_grid_text({grid, {}})}) {
    write_file(path, data);
    EXPECT_EQ(read_grid(path).grid, grid);
  }
  write_file(path, "hello");
  EXPECT_THAT(error_of([&] { read_grid(path); }), HasSubstr("is not a grid; name a lutgrid-v1 JSON"));
}

TEST(GridIo, ChangedPayloadIsAnErrorOrAFlag) {
  const GridConfig grid = random_grid(4, 4, 5);
  std::string bytes = print_bgbs(grid);
  bytes[30] = static_cast<char>(bytes[30] ^ 4);
  EXPECT_THAT(error_of([&] { parse_bgbs(bytes, "a.bgbs"); }), HasSubstr("a.bgbs: the payload's CRC-32 is"));
  const BgbsGrid read = parse_bgbs(bytes, "a.bgbs", BgbsCheck::kReport);
  EXPECT_FALSE(read.crc_ok);
  EXPECT_NE(read.grid, grid);
}

TEST(GridIo, BgbsMessagesNameThePosition) {
  const std::string good = print_bgbs(random_grid(4, 4, 6));
  const auto with = [&](size_t at, char value) {
    std::string bytes = good;
    bytes[at] = value;
    return error_of([&] { parse_bgbs(bytes, "a.bgbs"); });
  };
  EXPECT_EQ(with(0, 'X'), "a.bgbs: byte 0: does not start with 'BGBS'; name a BGBS bitstream");
  EXPECT_THAT(with(4, 9), HasSubstr("byte 4: version 9 is unknown"));
  EXPECT_THAT(with(8, 0), HasSubstr("byte 8: the size 0 x 4 is out of range"));
  EXPECT_THAT(with(12, 3), HasSubstr("byte 12: order 3 is unknown"));
  EXPECT_THAT(with(14, 1), HasSubstr("byte 14: 1025 payload bits, but 4 x 4 cells have 1024"));
  EXPECT_THAT(error_of([&] { parse_bgbs(good.substr(0, 100), "a.bgbs"); }),
              HasSubstr("byte 24: the payload has 76 bytes, the header says 128"));
  EXPECT_THAT(error_of([&] { parse_bgbs(good.substr(0, 10), "a.bgbs"); }), HasSubstr("has 10 bytes"));
  EXPECT_THAT(error_of([&] { print_bgbs(GridConfig(65536, 1)); }), HasSubstr("does not fit"));
}

TEST(GridIo, LutgridMessagesNameTheCell) {
  const std::string good = R"({"width":2,"height":1,"cells":[{"x":1,"y":0,"luts":[1,2,3,4]}],"format":"lutgrid-v1"})";
  const auto with = [&](const std::string& from, const std::string& to) {
    return error_of([&] { parse_lutgrid(replaced(good, from, to), "g.json"); });
  };
  EXPECT_EQ(with("\"x\":1", "\"x\":2"), "g.json: cells[0]: cell (2, 0) is outside the 2 x 1 grid; correct x, y or the size");
  EXPECT_THAT(with("1,2,3,4", "1,2,65536,4"), HasSubstr("cells[0]: LUT S is not a number from 0 to 65535"));
  EXPECT_THAT(with("1,2,3,4", "1,2,3"), HasSubstr("\"luts\" is not a list of four"));
  EXPECT_THAT(with("\"width\":2", "\"width\":-2"), HasSubstr("the size -2 x 1 is out of range"));
  EXPECT_THAT(with("\"width\":2", "\"width\":99999999999999999999"),
              HasSubstr("g.json:1: the number 99999999999999999999 does not fit 64 bits"));
  EXPECT_THAT(with("\"width\":2", "\"width\":2.5"), HasSubstr("\"width\" is not an integer"));
  EXPECT_THAT(with("\"x\":1", "\"x\":0,\"x\":1"), HasSubstr("g.json:1: the key \"x\" appears twice in one object"));
  EXPECT_THAT(with("lutgrid-v1", "lutgrid-v2"), HasSubstr("\"format\" is not \"lutgrid-v1\""));
  EXPECT_THAT(with("}],", "},{\"x\":1,\"y\":0,\"luts\":[0,0,0,0]}],"), HasSubstr("cells[1]: cell (1, 0) is given twice"));
  EXPECT_THAT(with("]", ""), HasSubstr("is not JSON"));
}

TEST(GridIo, GridTextMessagesNameTheLine) {
  const auto of = [](const std::string& text) { return error_of([&] { parse_grid_text(text, "g.txt"); }); };
  EXPECT_EQ(of("2 2\n1 2\n3\n"), "g.txt:3: row 1 has 1 configuration words, the width is 2; correct the row or the width");
  EXPECT_THAT(of("2 x\n"), HasSubstr("g.txt:1: 'x' is not a size"));
  EXPECT_THAT(of("2\n"), HasSubstr("the first line is not 'W H'"));
  EXPECT_THAT(of("50000 50000\n1 2\n"), HasSubstr("the size 50000 x 50000 is out of range"));
  EXPECT_THAT(of("1 3\n1\n2\n"), HasSubstr("g.txt:3: ends after 2 of 3 rows"));
  EXPECT_THAT(of("2 1\n1 12345678123456789\n"), HasSubstr("column 1: '12345678123456789' is not a configuration word"));
  EXPECT_THAT(of("1 1\n1\nout\n"), HasSubstr("g.txt:3: 'out' follows the configuration"));
  EXPECT_THAT(of("2 1\n1 1\nin\n0\n"), HasSubstr("row 0 of 'in' has 1 nibbles, the width is 2"));
  EXPECT_THAT(of("1 1\n1\nin\ng\n"), HasSubstr("'g' is not a hexadecimal digit"));
  EXPECT_THAT(of("1 1\n1\nin\n1\n2\n"), HasSubstr("'2' follows the last row"));
}

/// Damaged files are read or refused, never more.
void fuzz(const std::string& good, const std::function<void(const std::string&)>& read) {
  std::mt19937 random(7);
  size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    if (random() % 3 == 0) bytes.resize(random() % (bytes.size() + 1));
    for (auto flips = random() % 4; flips > 0 && !bytes.empty(); --flips) {
      char& c = bytes[random() % bytes.size()];
      c = random() % 2 ? static_cast<char>(random()) : static_cast<char>(c ^ static_cast<char>(1 << random() % 7));
    }
    try {
      read(bytes);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500u);
}

TEST(GridIo, FuzzedFilesNeverCrash) {
  const GridConfig grid = random_grid(3, 3, 8);
  fuzz(print_lutgrid(grid), [](const std::string& s) { parse_lutgrid(s, "g"); });
  fuzz(print_bgbs(grid), [](const std::string& s) { parse_bgbs(s, "g"); });
  fuzz(print_bgbs(grid), [](const std::string& s) { parse_bgbs(s, "g", BgbsCheck::kReport); });
  fuzz(print_grid_text({grid, std::vector<uint8_t>(9, 3)}), [](const std::string& s) { parse_grid_text(s, "g"); });
}

}  // namespace
}  // namespace bitgrid::frontend
