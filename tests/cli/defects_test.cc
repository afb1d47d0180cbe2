// compile --defects: every kernel of a model goes around bad cells, or the reason why not is told.
#include <gmock/gmock.h>

#include <random>

#include "engines/artefacts.h"
#include "frontend/defects_file.h"
#include "ir/file.h"
#include "ir/kernel_defects.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

using testing::HasSubstr;

TEST_F(Cli, CompileGoesAroundDefectsAndSaysWhatItCosts) {
  std::mt19937_64 random(3);
  const Defects defects = random_defects(300, 300, 0.01, 0.002, random);
  write_file(path("d.yaml"), frontend::print_defects(defects));
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("plain") + " --json " + path("c.json")).status, 0);
  const json plain = json_of("c.json")["cells_total"];
  const Result r = bitgrid("compile " + model_ + " -o " + path("out") + " --defects " + path("d.yaml") + " --json " + path("c.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("cost of avoiding them"));
  const json j = json_of("c.json")["defects"];
  EXPECT_EQ(j["cells"], defects.cells.size());
  EXPECT_EQ(j["edges"], defects.edges.size());
  EXPECT_EQ(j["cells_with"], json_of("c.json")["cells_total"]);
  EXPECT_EQ(j["cells_without"], plain);
  EXPECT_GT(j["cells_with"], j["cells_without"]);
  const auto around = engines::read_compiled(path("out")), flawless = engines::read_compiled(path("plain"));
  for (const MappedKernel& k : around->kernels) EXPECT_FALSE(first_defect_used(k, defects)) << k.name;
  for (const MappedKernel& k : flawless->kernels) EXPECT_TRUE(first_defect_used(k, defects)) << k.name;
  EXPECT_TRUE(j["kernels"][0].contains("latency_without"));
  // The folder remembers the defects: what it holds is what the model compiles to.
  const Result check = bitgrid("check " + model_ + " --tokens 4 --engines cpu,grid --from " + path("out"));
  EXPECT_EQ(check.status, 0) << check.output;
}

TEST_F(Cli, DefectFileErrorsNameTheLine) {
  write_file(path("d.yaml"), "cells:\n  - [1, 2, 3]\n");
  const Result r = bitgrid("compile " + model_ + " -o " + path("out") + " --defects " + path("d.yaml"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("d.yaml:2: cells.0 has 3 entries; write [x, y]"));
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Cli, ARoutingThatDoesNotCloseLeavesItsCongestionAsAPicture) {
  write_file(path("sum.dag"), "dag sum\ninput a 6\ninput b 6\ns:7 = add a b\nl:1 = less a b\noutput sum s\noutput smaller l\n");
  Defects walls;  // bands of four rows that nothing leaves
  for (int y = 4; y < 200; y += 5)
    for (int x = 0; x < 200; ++x) walls.cells.push_back({x, y});
  write_file(path("d.yaml"), frontend::print_defects(walls));
  for (const char* choice : {" --mode settle", " --strategy netlist"}) {
    fs::remove(path("out.congestion.svg"));
    const Result r = bitgrid("compile " + path("sum.dag") + " -o " + path("out") + choice + " --effort fast --defects " + path("d.yaml"));
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.output, HasSubstr("netlist sum: net from "));
    EXPECT_THAT(r.output, HasSubstr("try another --seed or --effort, or fewer defects"));
    EXPECT_THAT(r.output, HasSubstr("congestion picture: " + path("out.congestion.svg"))) << choice;
    EXPECT_THAT(read_file(path("out.congestion.svg")), HasSubstr("edges are wanted by several nets")) << choice;
  }
  EXPECT_FALSE(fs::exists(path("out")));
}

}  // namespace
}  // namespace bitgrid
