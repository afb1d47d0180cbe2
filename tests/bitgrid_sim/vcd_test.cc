#include "bitgrid_sim/vcd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "bitgrid_sim/replay.h"
#include "ir/error.h"

namespace bitgrid {
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

}  // namespace
}  // namespace bitgrid
