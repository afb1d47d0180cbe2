#include "bitgrid_sim/vcd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "bitgrid_sim/fst.h"
#include "bitgrid_sim/replay.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::sim {
namespace {

TEST(Vcd, PortNamesRoundTrip) {
  const auto ports = all_ports(13, 5);
  EXPECT_EQ(ports.size(), 2u * 2u * (13 + 5));
  for (const PortName& p : ports) EXPECT_EQ(parse_port(to_string(p), 13, 5), p);
}

TEST(Vcd, BadPortNamesAreRefused) {
  for (const char* name : {"", "n", "n_in", "x0_in", "n0", "n0_up", "n0in", "n-1_in", "n13_in", "e5_out", "n99999999999_in", "n1x_in"}) {
    EXPECT_THROW(parse_port(name, 13, 5), Error) << name;
  }
}

TEST(Vcd, IdentifierCodesAreUniqueAndPrintable) {
  VcdWriter vcd(all_ports(3000, 1500), "grid");
  std::istringstream text(vcd.text());
  std::set<std::string> codes;
  std::string word, code;
  while (text >> word) {
    if (word != "$var") continue;
    text >> word >> word >> code;
    for (const char c : code) ASSERT_TRUE(c >= '!' && c <= '~');
    ASSERT_TRUE(codes.insert(code).second) << code;
  }
  EXPECT_EQ(codes.size(), 18000u);
}

TEST(Vcd, RecordsAReplay) {
  GridConfig config(1, 1);
  config.cells[0] = cell_word({0, kFromW, 0, 0});
  VcdWriter vcd({{Side::W, 0, false}, {Side::E, 0, true}}, "g");
  replay_stimulus(config, "{\"in\": {\"W\": [1]}}\n{\"in\": {}}\n{\"in\": {}}\n", "s", {GridEngine::kSliced, &vcd, -1});
  const std::string text = vcd.text();
  EXPECT_EQ(text.substr(text.find("#0")), "#0\n$dumpvars\n1!\n1\"\n$end\n#1\n0!\n#2\n0\"\n#3\n");
}

/// Changes of all signals of a dump in text.
std::vector<FstSignal> changes_of(const std::string& vcd) {
  std::vector<FstSignal> signals;
  std::map<std::string, size_t> by_code;
  std::istringstream lines(vcd);
  uint64_t time = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word, code, name;
    words >> word;
    if (word == "$var") {
      words >> word >> word >> code >> name;
      by_code[code] = signals.size();
      signals.push_back({name, {}});
    } else if (line[0] == '#') {
      time = std::stoull(line.substr(1));
    } else if (line[0] == '0' || line[0] == '1') {
      signals[by_code.at(line.substr(1))].changes.emplace_back(time, line[0] == '1');
    }
  }
  return signals;
}

/// The same replay, recorded in both formats.
TEST(Fst, HoldsTheChangesOfTheText) {
  if (!has_fst()) GTEST_SKIP() << "built without FST";
  const auto folder = std::filesystem::path(testing::TempDir()) / "bitgrid_fst_test";
  std::filesystem::create_directories(folder);
  std::mt19937_64 random(5);
  GridConfig config(7, 5);
  for (CellWord& word : config.cells) word = random();
  const std::string path = (folder / "w.fst").string(), again = (folder / "v.fst").string();
  VcdWriter text(all_ports(7, 5), "g");
  replay_stimulus(config, "", "s", {GridEngine::kSliced, &text, 300});
  for (const std::string& file : {path, again}) {
    VcdWriter fst(all_ports(7, 5), "g", file);
    replay_stimulus(config, "", "s", {GridEngine::kScalar, &fst, 300});
    fst.write(file);
  }
  const auto expected = changes_of(text.text());
  EXPECT_EQ(expected.size(), 48u);
  EXPECT_EQ(read_fst(path), expected);
  EXPECT_EQ(read_file(path), read_file(again));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++files;
  EXPECT_EQ(files, 2u);  // and no temporary ones
  { VcdWriter unfinished(all_ports(2, 2), "g", (folder / "u.fst").string()); }
  EXPECT_FALSE(std::filesystem::exists(folder / "u.fst"));
  std::filesystem::remove_all(folder);
}

TEST(Fst, WhatCannotBeWrittenOrReadIsRefused) {
  EXPECT_THROW(VcdWriter(all_ports(2, 2), "g", "/no/such/folder/x.fst"), Error);
  EXPECT_THROW(read_fst("/no/such/folder/x.fst"), Error);
}

}  // namespace
}  // namespace bitgrid::sim
