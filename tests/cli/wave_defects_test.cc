// compile --mode wave --defects: regular arrays, planes and sweeps go around bad cells, or the reason why not is told.
#include <gmock/gmock.h>

#include <random>

#include "engines/artefacts.h"
#include "frontend/defects_file.h"
#include "ir/bits.h"
#include "ir/file.h"
#include "ir/kernel_defects.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

using testing::HasSubstr;

constexpr const char* kSum = "dag sum\ninput a 30\ninput b 30\ns:31 = add a b\noutput y s\n";
constexpr const char* kCount = "dag count\ninput a 30\nc:5 = popcount a\noutput y c\n";
constexpr const char* kMatch =
    "dag match\ninput a 12\ninput b 12\nx:12 = xnor a b\nc:4 = popcount x\nt = constant 4 0x5\nl:1 = less c t\noutput y l\n";

TEST_F(Cli, WaveModeGoesAroundDefects) {
  std::mt19937_64 random(1);
  const Defects defects = random_defects(200, 200, 0.015, 0.002, random);
  write_file(path("d.yaml"), frontend::print_defects(defects));
  std::string squares = "dag squares\ninput a 6\nt:12 = lut a";
  for (int i = 0; i < 64; ++i) squares += " " + to_hex(BitVector(12, static_cast<uint64_t>(i * i)));
  const std::pair<std::string, const char*> kernels[] = {
      {kSum, "ripple"}, {kCount, "counter"}, {squares + "\noutput y t\n", "plane"}, {kMatch, "row-layout"}};
  for (const auto& [text, strategy] : kernels) {
    SCOPED_TRACE(strategy);
    write_file(path("k.dag"), text);
    const std::string compile = "compile " + path("k.dag") + " --mode wave --json " + path("c.json") + " -o ";
    ASSERT_EQ(bitgrid(compile + path("plain")).status, 0);
    const int64_t flawless = json_of("c.json")["kernels"][0]["cells"];
    EXPECT_TRUE(first_defect_used(engines::read_compiled(path("plain"))->kernels[0], defects));
    const Result r = bitgrid(compile + path(strategy) + " --defects " + path("d.yaml"));
    ASSERT_EQ(r.status, 0) << r.output;
    EXPECT_FALSE(first_defect_used(engines::read_compiled(path(strategy))->kernels[0], defects));
    const json j = json_of("c.json");
    EXPECT_EQ(j["kernels"][0]["strategy"], strategy);
    EXPECT_EQ(j["kernels"][0]["ii_cycles"], 1);
    EXPECT_EQ(j["defects"]["cells_with"], j["kernels"][0]["cells"]);
    EXPECT_EQ(j["defects"]["cells_without"], flawless);
    EXPECT_EQ(j["defects"]["kernels"][0]["ii_without"], 1);
  }
}

TEST_F(Cli, WaveModeThatFindsNoWayNamesTheRegion) {
  write_file(path("k.dag"), kCount);
  std::string bad = "cells:\n";
  for (int y = 0; y < 80; ++y)
    for (int x = 0; x < 200; ++x) bad += "  - [" + std::to_string(x) + ", " + std::to_string(y) + "]\n";
  write_file(path("d.yaml"), bad);
  const Result r = bitgrid("compile " + path("k.dag") + " -o " + path("out") + " --mode wave --defects " + path("d.yaml"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output,
              HasSubstr("kernel count: wave mode (II = 1) takes 28 x 5 cells (counter) at the tile's north-west corner, where 140 "
                        "cells and 0 edges are bad, and no layout of at most 1000000 cells avoids them"));
  EXPECT_THAT(r.output, HasSubstr("use --mode settle, which can place cells elsewhere, or a tile with fewer defects there"));
  EXPECT_FALSE(fs::exists(path("out")));
}

}  // namespace
}  // namespace bitgrid
