// bitgrid compile: proofs, stages in JSON, reuse of an earlier compile, equal bytes.
#include <algorithm>
#include <map>

#include "rtl/command.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

bool have_abc() {
  return rtl::run_command({"berkeley-abc", "-c", "version"}, "/dev/null") != 127;
}

const char* const kFullAdder =
    ".model full_adder\n.inputs a b c\n.outputs s d\n.names a b x\n01 1\n10 1\n.names x c s\n01 1\n10 1\n"
    ".names a b c d\n11- 1\n1-1 1\n-11 1\n.end\n";

class Compile : public Cli {
 protected:
  std::string full_adder() const {
    write_file(path("fa.blif"), kFullAdder);
    return path("fa.blif");
  }
  /// All files of a folder by name.
  std::map<std::string, std::string> files(const std::string& name) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(path(name)))
      if (entry.is_regular_file()) all[fs::relative(entry.path(), path(name)).string()] = read_file(entry.path().string());
    return all;
  }
  json compile(const std::string& arguments) {
    const Result r = bitgrid("compile " + arguments + " --json " + path("c.json"));
    EXPECT_EQ(r.status, 0) << r.output;
    output_ = r.output;
    return r.status == 0 ? json_of("c.json") : json();
  }
  /// Other weights in the head of the model, all else as before.
  std::string changed_model() const {
    Model model = tiny_model();
    for (int8_t& w : model.head.weights.data) w = static_cast<int8_t>(-w);
    return write_model(model, path("changed"));
  }
  std::string output_;
};

TEST_F(Compile, NetlistJsonHasStagesAndAttempts) {
  const json k = compile(netlist() + " -o " + path("out") + " --mode settle --effort fast")["kernels"][0];
  EXPECT_EQ(k["strategy"], "netlist");
  EXPECT_GE(k["luts"], 10);
  EXPECT_GE(k["depth"], 3);
  EXPECT_DOUBLE_EQ(k["cells_per_lut"], k["cells"].get<double>() / k["luts"].get<double>());
  EXPECT_TRUE(k["proved"].is_null());
  for (const char* stage : {"techmap", "place", "route", "verify"}) EXPECT_TRUE(k["seconds"][stage].is_number()) << stage;
  EXPECT_TRUE(k["seconds"]["prove"].is_null());
  EXPECT_FALSE(k["netlist"]["attempts"].empty());
  for (const char* stage : {"techmap", "pack", "place", "route", "timing", "verify"})
    EXPECT_THAT(output_, HasSubstr(std::string("\n") + stage + " "));
}

TEST_F(Compile, RegularArraysHaveTheLutsOfTheirLogic) {
  const json k = compile(full_adder() + " -o " + path("out"))["kernels"][0];
  EXPECT_EQ(k["strategy"], "ripple");
  EXPECT_EQ(k["luts"], 2);
  EXPECT_EQ(k["depth"], 1);
  EXPECT_DOUBLE_EQ(k["cells_per_lut"], 0.5);
  EXPECT_TRUE(k["seconds"]["techmap"].is_null());
}

TEST_F(Compile, ProvesANetlistAndAnArray) {
  if (!have_abc()) GTEST_SKIP() << "berkeley-abc is not installed";
  for (const auto& [source, strategy] : {std::pair{netlist(), "netlist"}, std::pair{full_adder(), "ripple"}}) {
    const json j = compile(source + " -o " + path(strategy) + " --prove --mode settle --effort fast");
    EXPECT_EQ(j["kernels"][0]["strategy"], strategy);
    EXPECT_EQ(j["kernels"][0]["proved"], true) << strategy;
    EXPECT_TRUE(j["kernels"][0]["seconds"]["prove"].is_number());
    EXPECT_THAT(output_, HasSubstr("proved 1 of 1 kernels"));
  }
}

TEST_F(Compile, SaysWhyAKernelIsNotProved) {
  if (!have_abc()) GTEST_SKIP() << "berkeley-abc is not installed";
  const json j = compile(model_ + " -o " + path("out") + " --prove --prove-timeout 5");
  EXPECT_TRUE(j["kernels"][0]["proved"].is_null());
  EXPECT_THAT(j["kernels"][0]["not_proved_because"], HasSubstr("loops"));
  EXPECT_THAT(output_, HasSubstr("not proved: "));
}

TEST_F(Compile, RefusesUnknownEffortsAndThreads) {
  EXPECT_THAT(bitgrid("compile " + full_adder() + " -o " + path("o") + " --effort huge").output,
              HasSubstr("--effort: 'huge' is not an effort; choose fast, default or dense"));
  EXPECT_THAT(bitgrid("compile " + full_adder() + " -o " + path("o") + " --threads 0").output, HasSubstr("--threads"));
  EXPECT_FALSE(fs::exists(path("o")));
}

TEST_F(Compile, ASecondCompileReusesEverything) {
  const json first = compile(model_ + " -o " + path("out"));
  EXPECT_EQ(first["kernels_reused"], 0);
  const auto before = files("out");
  const json second = compile(model_ + " -o " + path("out"));
  EXPECT_EQ(second["kernels_reused"], first["kernels"].size());
  EXPECT_THAT(output_, HasSubstr("reused " + std::to_string(first["kernels"].size()) + " of " + std::to_string(first["kernels"].size()) +
                                 " kernels"));
  EXPECT_TRUE(second["kernels"][0]["reused"]);
  EXPECT_TRUE(second["kernels"][0]["seconds"]["verify"].is_null());
  EXPECT_EQ(files("out"), before);
}

TEST_F(Compile, ReusedNetlistsKeepTheirLutCount) {
  const std::string command = netlist() + " -o " + path("out") + " --mode settle --effort fast";
  const json first = compile(command)["kernels"][0], k = compile(command)["kernels"][0];
  EXPECT_TRUE(k["reused"]);
  EXPECT_EQ(k["luts"], first["luts"]);
  EXPECT_EQ(k["depth"], first["depth"]);
}

TEST_F(Compile, AChangedMatrixRemapsItsKernelOnly) {
  compile(model_ + " -o " + path("out"));
  const std::string changed = changed_model();
  const json incremental = compile(changed + " -o " + path("out"));
  for (const json& k : incremental["kernels"]) EXPECT_EQ(k["reused"], k["name"] != "head") << k["name"];
  compile(changed + " -o " + path("scratch"));
  EXPECT_EQ(files("out"), files("scratch"));
}

TEST_F(Compile, OtherParametersRemap) {
  compile(full_adder() + " -o " + path("out") + " --mode settle");
  EXPECT_EQ(compile(full_adder() + " -o " + path("out") + " --mode settle --seed 2")["kernels_reused"], 0);
  EXPECT_EQ(compile(full_adder() + " -o " + path("out") + " --mode settle --seed 2")["kernels_reused"], 1);
  EXPECT_EQ(compile(full_adder() + " -o " + path("out") + " --mode settle --seed 2 --again")["kernels_reused"], 0);
}

TEST_F(Compile, DamagedArtefactsAreRemapped) {
  compile(model_ + " -o " + path("out"));
  const auto before = files("out");
  for (const std::string name : {"kernels/head.bgbs", "kernels/head.json", "compile.json"}) {
    std::string bytes = before.at(name);
    bytes[bytes.size() / 2] ^= 0x04;
    write_file(path("out/" + name), bytes);
    const json j = compile(model_ + " -o " + path("out"));
    EXPECT_LT(j["kernels_reused"], j["kernels"].size()) << name;
    EXPECT_EQ(files("out"), before) << name;
  }
  fs::remove(path("out/kernels/head.json"));
  compile(model_ + " -o " + path("out"));
  EXPECT_EQ(files("out"), before);
}

TEST_F(Compile, KernelsThatAreGoneAreRemoved) {
  compile(model_ + " -o " + path("out"));
  write_file(path("out/kernels/mine.txt"), "a user's");
  compile(full_adder() + " -o " + path("out"));
  EXPECT_FALSE(fs::exists(path("out/kernels/head.bgbs")));
  EXPECT_TRUE(fs::exists(path("out/kernels/full_adder.bgbs")));
  EXPECT_TRUE(fs::exists(path("out/kernels/mine.txt")));
}

TEST_F(Compile, WhatIsNotVerifiedIsNotReused) {
  compile(model_ + " -o " + path("out") + " --no-verify");
  EXPECT_EQ(compile(model_ + " -o " + path("out"))["kernels_reused"], 0);
}

/// Heap, stack and environment of another size, one thread and two.
TEST_F(Compile, BytesDoNotDependOnAddressesOrThreads) {
  for (const std::string& source : {model_, netlist()}) {
    const std::string command = source + " --mode " + (source == model_ ? "auto" : "settle") + " --seed 5 -o ";
    compile(command + path("a") + " --threads 1");
    setenv("MALLOC_PERTURB_", "165", 1);
    setenv("MALLOC_MMAP_THRESHOLD_", "4096", 1);
    setenv("MALLOC_TOP_PAD_", "1234567", 1);
    setenv("BITGRID_TEST_PADDING", std::string(50'000, 'x').c_str(), 1);
    compile(command + path("b") + " --threads 2");
    for (const char* name : {"MALLOC_PERTURB_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "BITGRID_TEST_PADDING"}) unsetenv(name);
    EXPECT_EQ(files("a"), files("b")) << source;
    fs::remove_all(path("a"));
    fs::remove_all(path("b"));
  }
}

}  // namespace
}  // namespace bitgrid
