// The program as its user sees it: exit status, output, JSON, files.
#include <fstream>
#include <sstream>

#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

TEST_F(Cli, CompileWritesTheDocumentedJson) {
  const Result r = bitgrid("compile " + model_ + " -o " + path("out") + " --json " + path("c.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  const json j = json_of("c.json");
  EXPECT_EQ(j["seed"], 1);
  EXPECT_TRUE(j["arch"].contains("configuration_bits_per_cycle"));
  for (const char* key :
       {"name", "strategy", "width", "height", "cells", "cells_used", "ii_cycles", "latency_cycles", "invocations_per_token"}) {
    EXPECT_TRUE(j["kernels"][0].contains(key)) << key;
  }
  int64_t cells = 0;
  for (const json& k : j["kernels"]) cells += k["cells"].get<int64_t>() * k["tiles"].get<int64_t>();
  EXPECT_EQ(j["cells_total"], cells);
  EXPECT_GT(j["cycles_per_token"], j["configuration_cycles_per_token"]);
  for (const char* key : {"lower", "map", "verify"}) EXPECT_TRUE(j["seconds"].contains(key)) << key;
}

TEST_F(Cli, CompileTwiceGivesTheSameBytes) {
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("a") + " --seed 7 --threads 1").status, 0);
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("b") + " --seed 7 --threads 2").status, 0);
  for (const auto& entry : fs::recursive_directory_iterator(path("a"))) {
    if (!entry.is_regular_file()) continue;
    const std::string name = fs::relative(entry.path(), path("a")).string();
    EXPECT_EQ(read_file(entry.path().string()), read_file(path("b") + "/" + name)) << name;
  }
}

TEST_F(Cli, RunGivesTheSameTextOnCpuDagAndGrid) {
  std::string text;
  for (const char* engine : {"cpu", "dag", "grid"}) {
    const Result r = bitgrid("run " + model_ + " --prompt abc --tokens 9 --engine " + engine + " --json " + path("r.json"));
    ASSERT_EQ(r.status, 0) << r.output;
    const json j = json_of("r.json");
    EXPECT_EQ(j["tokens"].size(), 12u);
    EXPECT_EQ(j["engine"], engine);
    if (text.empty()) text = j["text"];
    EXPECT_EQ(j["text"], text);
    EXPECT_EQ(j["cell_updates"] > 0, std::string(engine) == "grid");
  }
}

TEST_F(Cli, SampledRunsFollowTheSeed) {
  const std::string command = "run " + model_ + " --prompt abc --tokens 20 --engine cpu --temperature 1.0 --seed ";
  const std::string first = bitgrid(command + "3").output;
  EXPECT_EQ(bitgrid(command + "3").output, first);
  EXPECT_NE(bitgrid(command + "4").output, first);
}

TEST_F(Cli, CheckReportsNoMismatches) {
  const Result r = bitgrid("check " + model_ + " --tokens 6 --json " + path("k.json"));
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("0 mismatches in "));
  const json j = json_of("k.json");
  EXPECT_EQ(j["positions"], 6);
  EXPECT_TRUE(j["first_mismatch"].is_null());
  for (const char* engine : {"cpu", "dag", "grid"}) EXPECT_EQ(j["engines"][engine]["mismatches"], 0) << engine;
}

TEST_F(Cli, CheckFromNamesAFlippedBitAndFails) {
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("out")).status, 0);
  const std::string file = path("out/kernels/layers.1.up.0.bgbs");
  ASSERT_TRUE(fs::exists(file));
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] ^= 0x10;
  write_file(file, bytes);
  const Result r = bitgrid("check " + model_ + " --from " + path("out") + " --json " + path("k.json"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("kernel layers.1.up.0 differs from this model's: configuration of cell ("));
  EXPECT_EQ(json_of("k.json")["first_mismatch"]["kernel"], "layers.1.up.0");
}

TEST_F(Cli, CheckFromSaysThatTheWeightsChanged) {
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("out")).status, 0);
  TinyParams other;
  other.seed = 2;
  write_model(tiny_model(other), dir_ + "/model");
  const Result r = bitgrid("check " + model_ + " --from " + path("out"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("was made from other weights or another model file"));
}

TEST_F(Cli, BadPromptNamesTheCharacter) {
  const Result r = bitgrid("run " + model_ + " --prompt 'ab%' --engine cpu");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("'%'"));
}

TEST_F(Cli, AnUnknownCommandIsNamedWithThoseThatExist) {
  const Result r = bitgrid("frobnicate x");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output,
              HasSubstr("there is no command 'frobnicate'; the commands are run, evaluate, inspect, import, random-model, check, "));
}

TEST_F(Cli, LatchesAreRefusedBeforeAnythingIsWritten) {
  write_file(path("l.blif"), ".model m\n.inputs a\n.outputs q\n.latch a q re c 0\n.end\n");
  const Result r = bitgrid("compile " + path("l.blif") + " -o " + path("out"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("l.blif:4: .latch makes the circuit sequential; give combinational logic"));
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Cli, MissingModelIsNamed) {
  const Result r = bitgrid("compile " + path("no.yaml") + " -o " + path("out"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("no.yaml"));
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Cli, KernelFileBecomesAnArrayAndRuns) {
  write_file(path("adder.dag"), "dag adder\ninput a 3\ninput b 3\ns:4 = add a b\noutput sum s\n");
  const Result r = bitgrid("compile " + path("adder.dag") + " -o " + path("out") + " --mode wave");
  ASSERT_EQ(r.status, 0) << r.output;
  write_file(path("stimulus.jsonl"), "{\"in\": \"2b\"}\n{\"in\": \"3f\"}\n");
  const Result s = bitgrid("simulate " + path("out") + " --stimulus " + path("stimulus.jsonl") + " --vcd " + path("w.vcd"));
  EXPECT_EQ(s.output, "{\"out\": \"8\"}\n{\"out\": \"e\"}\n");  // 3 + 5, 7 + 7
  EXPECT_THAT(read_file(path("w.vcd")), HasSubstr("$enddefinitions"));
}

TEST_F(Cli, BlifCompilesInSettleMode) {
  write_file(path("xor.blif"), ".model parity\n.inputs a b c\n.outputs p\n.names a b x\n01 1\n10 1\n.names x c p\n01 1\n10 1\n.end\n");
  const Result r = bitgrid("compile " + path("xor.blif") + " -o " + path("out") + " --mode settle");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("ripple"));
}

TEST_F(Cli, VerilogWritesAModuleAKernel) {
  const Result r = bitgrid("verilog " + model_ + " -o " + path("v"));
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(read_file(path("v/verilog/head.v")), HasSubstr("module bitgrid_head"));
}

TEST_F(Cli, PictureDrawsAKernel) {
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("out")).status, 0);
  const Result r = bitgrid("picture " + path("out") + " --kernel head -o " + path("head.svg"));
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(read_file(path("head.svg")), HasSubstr("<svg"));
}

TEST_F(Cli, SimulateReplaysTheSharedTraces) {
  const std::string cases = BITGRID_SHARED_CASES;
  if (!fs::exists(cases + "/bitgrid/bench16.grid.txt")) GTEST_SKIP() << "shared cases are absent: " << cases;
  for (const char* name : {"bench16", "constants8"}) {
    const std::string expected = read_file(cases + "/bitgrid/" + name + ".expected.txt");
    const size_t at = expected.rfind("# cycle ");
    const int cycles = std::stoi(expected.substr(at + 8));
    const Result r = bitgrid("simulate " + cases + "/bitgrid/" + name + ".grid.txt --torus --trace --cycles " + std::to_string(cycles));
    EXPECT_EQ(r.output, expected) << name;
  }
  const std::string stem = cases + "/bitgrid/py_random12x10";
  const Result r = bitgrid("simulate " + stem + "_lutgrid.json --stimulus " + stem + ".expected.jsonl");
  std::istringstream got(r.output), want(read_file(stem + ".expected.jsonl"));
  for (std::string a, b; std::getline(want, b);) {
    ASSERT_TRUE(std::getline(got, a));
    EXPECT_EQ(json::parse(a), json::parse(b));
  }
}

}  // namespace
}  // namespace bitgrid
