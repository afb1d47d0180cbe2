// Architecture files with a tile that is smaller than the layers.
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

class Tiles : public Cli {
 protected:
  std::string arch(const std::string& text) const {
    write_file(path("arch.yaml"), text);
    return path("arch.yaml");
  }
};

TEST_F(Tiles, CompileCutsAndCheckAgrees) {
  const std::string file = arch("tile: {width: 24, height: 60}\n");
  const Result whole = bitgrid("compile " + model_ + " -o " + path("whole") + " --json " + path("whole.json"));
  ASSERT_EQ(whole.status, 0) << whole.output;
  const Result cut = bitgrid("compile " + model_ + " -o " + path("cut") + " --arch " + file + " --json " + path("cut.json"));
  ASSERT_EQ(cut.status, 0) << cut.output;
  const json kernels = json_of("cut.json")["kernels"];
  EXPECT_GT(kernels.size(), json_of("whole.json")["kernels"].size());
  for (const json& k : kernels) {
    EXPECT_LE(k["width"].get<int>(), 24) << k["name"];
    EXPECT_LE(k["height"].get<int>(), 60) << k["name"];
  }
  EXPECT_EQ(json_of("cut.json")["arch"]["tile"]["width"], 24);
  const Result check = bitgrid("check " + model_ + " --arch " + file);
  EXPECT_EQ(check.status, 0) << check.output;
  const Result from = bitgrid("check " + model_ + " --from " + path("cut"));
  EXPECT_EQ(from.status, 0) << from.output;
  const Result run = bitgrid("run " + model_ + " --prompt ab --tokens 3 --arch " + file);
  EXPECT_EQ(run.status, 0) << run.output;
}

TEST_F(Tiles, WhatCannotBeCutIsNamed) {
  const Result r = bitgrid("compile " + model_ + " -o " + path("out") + " --arch " + arch("tile: {width: 6, height: 6}\n"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("give a larger tile in the architecture file"));
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Tiles, ArchitectureFilesAreChecked) {
  const Result r = bitgrid("compile " + model_ + " -o " + path("out") + " --arch " + arch("tile: {width: -1}\n"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("arch.yaml:1"));
}

}  // namespace
}  // namespace bitgrid
