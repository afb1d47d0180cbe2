#include "frontend/grids/grid_source.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "frontend/grids/payload.h"
#include "frontend/grids/word_store.h"
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

class GridSources : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.file(name); }

  const test::ScratchFolder folder_;
};

std::string payload_bytes(const GridConfig& grid, BgbsOrder order) {
  return print_bgbs(grid, order).substr(24);
}

TEST_F(GridSources, EveryConventionStreamsTheSameRows) {
  const GridConfig grid = random_grid(37, 11, 1);
  const auto check = [&](const std::string& data, const std::string& convention) {
    write_file(path("g"), data);
    const GridSource source = open_grid(path("g"));
    EXPECT_EQ(source.convention, convention);
    EXPECT_FALSE(source.foreign);
    EXPECT_EQ(read_rows(source), grid) << convention;
    EXPECT_EQ(grid_hash(open_grid(path("g"))), grid_hash(grid_source(grid)));
  };
  check(print_lutgrid(grid), "lutgrid-v1");
  check(print_grid_text({grid, {}}), "grid.txt of the original engine");
  for (const BgbsOrder order : {BgbsOrder::kRow, BgbsOrder::kColumn, BgbsOrder::kSnake})
    check(print_bgbs(grid, order), "BGBS, " + to_string(order) + " order");
}

TEST_F(GridSources, PayloadsWithoutHeaderTakeASize) {
  const GridConfig grid = random_grid(9, 5, 2);
  for (const BgbsOrder order : {BgbsOrder::kRow, BgbsOrder::kColumn, BgbsOrder::kSnake}) {
    write_file(path("g.bin"), payload_bytes(grid, order));
    EXPECT_EQ(read_rows(open_payload(path("g.bin"), {9, 5, order})), grid);
    write_file(path("g.json"), "{\"width\": 9, \"height\": 5, \"order\": \"" + to_string(order) + "\"}");
    for (const char* name : {"g.bin", "g.json"}) EXPECT_EQ(read_rows(open_grid(path(name))), grid) << name;
  }
  EXPECT_THAT(error_of([&] {
                open_payload(path("g.bin"), {9, 6, BgbsOrder::kRow});
              }),
              HasSubstr("the payload of 9 x 6 cells has 432 bytes, but the file has 360; correct the size"));
  EXPECT_THAT(error_of([&] { open_payload(path("g.bin"), {0, 6, BgbsOrder::kRow}); }), HasSubstr("the size 0 x 6 is out of range"));
}

TEST_F(GridSources, WrittenPayloadsAreChecked) {
  const GridConfig grid = random_grid(9, 5, 3);
  write_payload(path("g"), grid_source(grid));
  EXPECT_EQ(read_rows(open_grid(path("g.json"))), grid);
  EXPECT_EQ(read_file(path("g.bin")), payload_bytes(grid, BgbsOrder::kRow));
  std::string bytes = read_file(path("g.bin"));
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  write_file(path("g.bin"), bytes);
  EXPECT_THAT(error_of([&] { open_grid(path("g.json")); }), HasSubstr("g.bin: the payload's CRC-32 is"));
  EXPECT_THAT(error_of([&] { open_grid(path("g.bin")); }), HasSubstr("g.bin: the payload's CRC-32 is"));
}

TEST_F(GridSources, PayloadWordsAreTheFourTables) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 200; ++round) {
    const uint64_t luts = random();
    const CellWord word =
        cell_word({static_cast<Lut>(luts), static_cast<Lut>(luts >> 16), static_cast<Lut>(luts >> 32), static_cast<Lut>(luts >> 48)});
    ASSERT_EQ(word_of_payload(luts), word);
    ASSERT_EQ(payload_of_word(word), luts);
  }
}

TEST_F(GridSources, DamagedBgbsFilesAreRefusedAsBefore) {
  std::string bytes = print_bgbs(random_grid(4, 4, 5));
  const auto objection = [&](const std::string& data) {
    write_file(path("a.bgbs"), data);
    return error_of([&] { open_grid(path("a.bgbs")); });
  };
  EXPECT_THAT(objection(bytes.substr(0, 100)), HasSubstr("byte 24: the payload has 76 bytes, the header says 128"));
  EXPECT_THAT(objection(bytes.substr(0, 10)), HasSubstr("has 10 bytes"));
  bytes[30] = static_cast<char>(bytes[30] ^ 4);
  EXPECT_THAT(objection(bytes), HasSubstr("the payload's CRC-32 is"));
  bytes[13] = 1;
  EXPECT_THAT(objection(bytes), HasSubstr("byte 13: flags 1 are unknown"));
}

TEST_F(GridSources, WhatIsNoGridIsRefused) {
  const auto objection = [&](const std::string& data) {
    write_file(path("x"), data);
    return error_of([&] { open_grid(path("x")); });
  };
  for (const std::string& data : {std::string("hello"), std::string(), std::string("\1\2\3\0\5", 5), std::string("\xFF\xFE")})
    EXPECT_THAT(objection(data), HasSubstr("is not a grid; name a lutgrid-v1 JSON"));
  EXPECT_THAT(objection("{\"format\": \"other\"}"), HasSubstr("\"format\" is not \"lutgrid-v1\""));
  EXPECT_THAT(objection("{\"width\": 2, \"height\": 2, \"order\": \"spiral\"}"), HasSubstr("the order 'spiral' is unknown"));
  EXPECT_THAT(objection("{\"width\": 2, \"height\": -2, \"order\": \"row\"}"),
              HasSubstr("\"height\" is not an integer from 1 to 1073741824"));
  EXPECT_THAT(objection("{\"width\": 2, \"height\": 2, \"crc32\": \"xyz\"}"), HasSubstr("\"crc32\" is not a number"));
  EXPECT_THAT(error_of([&] { open_grid(path("none")); }), HasSubstr("cannot be opened"));
}

TEST_F(GridSources, FuzzedFilesNeverCrash) {
  const GridConfig grid = random_grid(3, 3, 6);
  write_file(path("p.bin"), payload_bytes(grid, BgbsOrder::kSnake));
  const std::vector<std::string> good = {print_lutgrid(grid), print_bgbs(grid, BgbsOrder::kColumn), print_grid_text({grid, {}}),
                                         "{\"format\": \"bitgrid-payload-v1\", \"width\": 3, \"height\": 3, \"order\": \"snake\", "
                                         "\"crc32\": \"00000000\", \"payload\": \"p.bin\"}"};
  std::mt19937 random(7);
  size_t refused = 0;
  for (int round = 0; round < 150; ++round) {
    for (std::string bytes : good) {
      if (random() % 3 == 0) bytes.resize(random() % (bytes.size() + 1));
      for (auto flips = random() % 4; flips > 0 && !bytes.empty(); --flips) bytes[random() % bytes.size()] = static_cast<char>(random());
      write_file(path("f"), bytes);
      try {
        const GridSource source = open_grid(path("f"));
        if (int64_t{source.width} * source.height < 10'000) read_rows(source);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100u);
}

TEST_F(GridSources, ReleasedRowsGiveTheirPagesBack) {
  WordStore store(1 << 10, 1 << 10);
  for (int y = 0; y < 1 << 10; ++y) store.at(5, y) = 7;
  store.release_before(600);
  EXPECT_EQ(store.at(5, 10), 0u);
  EXPECT_EQ(store.at(5, 600), 7u);
}

}  // namespace
}  // namespace bitgrid::frontend
