// Models with scales, as their user meets them.
#include <cmath>

#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

using testing::Not;

const std::string kFolder = std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-bitnet";
const std::string kGguf = kFolder + "/kjv-bitnet-q2_0.gguf";
const std::string kShared = std::string(BITGRID_SHARED_CASES) + "/llm/";

std::string shapes(const std::string& graph, int width) {
  return "format: bitgrid-shapes-1\nname: s\nwidth: " + std::to_string(width) +
         "\nvocabulary: 300\ncontext: 32\nweights: ternary\nactivation_bits: 8\nlayers: 2\nattention: {heads: 2, kv_heads: 1, "
         "head_width: " +
         std::to_string(width / 2) + "}\nfeedforward: {hidden: " + std::to_string(width) + ", gated: true}\ngraph: " + graph +
         "\nrope_theta: 10000\neps: 1e-5\ntied: true\n";
}

class Scaled : public Cli {
 protected:
  json run(const std::string& arguments) {
    const Result r = bitgrid(arguments + " --json " + path("r.json"));
    EXPECT_EQ(r.status, 0) << arguments << "\n" << r.output;
    return r.status == 0 ? json_of("r.json") : json();
  }
};

TEST_F(Scaled, FolderAndGgufGiveTheSameText) {
  const std::string rest = " --prompt 'in the beginning ' --tokens 40";
  const json folder = run("run " + kFolder + rest), gguf = run("run " + kGguf + rest);
  EXPECT_EQ(folder["tokens"], gguf["tokens"]);
  EXPECT_THAT(folder["text"].get<std::string>(), testing::StartsWith("in the beginning "));
  EXPECT_EQ(folder["tokens"].size(), 57u);
}

TEST_F(Scaled, ResidentAndStreamedWeightsGiveTheSame) {
  const std::string rest = " --engine dag --prompt in --tokens 6 --context 16";
  const json streamed = run("run " + kFolder + rest), resident = run("run " + kFolder + rest + " --dataflow resident");
  EXPECT_EQ(streamed["tokens"], resident["tokens"]);
}

TEST_F(Scaled, DataflowsAreRefusedByName) {
  const Result unknown = bitgrid("run " + kFolder + " --engine dag --prompt in --dataflow flooded");
  EXPECT_THAT(unknown.output, HasSubstr("--dataflow: 'flooded' is unknown; choose resident or streamed"));
  const Result useless = bitgrid("run " + kFolder + " --prompt in --dataflow resident");
  EXPECT_THAT(useless.output, HasSubstr("--dataflow: engine cpu runs no kernels; leave it out, or give --engine dag"));
  const Result own = bitgrid("run " + std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-ternary/model.yaml --prompt in --dataflow streamed");
  EXPECT_THAT(own.output, HasSubstr("--dataflow: only models with scales have this choice; leave it out"));
}

/// Every kernel of BitNet's graph on simulated grids, from random latches.
TEST_F(Scaled, GridsComputeWhatTheDefinitionSays) {
  const Result r = bitgrid("check " + kFolder + " --engines cpu,grid --prompt 'in the ' --tokens 3 --context 16");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("grid        16998 values compared, 0 mismatches"));
}

/// Mapped kernels are verified against their Dags on the way.
TEST_F(Scaled, KernelsAreCompiled) {
  const json j = run("compile " + kFolder + " --context 16 --effort fast -o " + path("c"));
  EXPECT_LT(j["cells_total"].get<int>(), 100'000);
  EXPECT_LT(j["cycles_per_token"].get<int>(), 300'000);
  EXPECT_THAT(bitgrid("compile " + path("model.yaml") + " --context 16 -o " + path("d")).output,
              HasSubstr("--context: only models with scales have positions to choose; leave it out"));
}

TEST_F(Scaled, ImportedIntegersGiveTheSameText) {
  ASSERT_EQ(bitgrid("import " + kFolder + " -o " + path("m")).status, 0);
  const std::string rest = " --prompt 'and god said ' --tokens 20 --kv k=4:max,v=2:mean:rotated,recent=4";
  EXPECT_EQ(run("run " + path("m/model.yaml") + rest)["tokens"], run("run " + kFolder + rest)["tokens"]);
}

/// The figure that training stated, by an independent float64 forward in numpy.
TEST_F(Scaled, TheExampleHasTheBitsThatItStates) {
  const json stated = json::parse(read_file(kFolder + "/heldout.json"));
  const json got = run("evaluate " + kFolder + " --text " + kFolder + "/heldout.txt --context 256");
  EXPECT_NEAR(got["bits_per_token"].get<double>(), 1.544177, 0.005);
  EXPECT_THAT(stated.dump(), HasSubstr("1.544177"));
  EXPECT_EQ(got["positions"], 3913);
}

TEST_F(Scaled, FloatIsTheYardstick) {
  write_file(path("text"), "in the beginning god created the heaven and the earth.");
  const json r = run("check " + kFolder + " --engines float,cpu --text " + path("text"));
  EXPECT_EQ(r["engines"]["cpu"]["mismatches"], 0);
  EXPECT_LT(r["engines"]["float"]["kl_mean"].get<double>(), 2e-3);
  EXPECT_EQ(r["engines"]["float"]["positions"], 53);
}

TEST_F(Scaled, EveryStoredTypeRuns) {
  write_file(path("bitnet.yaml"), shapes("bitnet", 256));
  write_file(path("qwen3.yaml"), shapes("qwen3", 256));
  write_file(path("llama.yaml"), shapes("llama", 256));
  json first;
  for (const std::string type : {"q2_0", "tq1_0", "tq2_0", "i2_s"}) {
    ASSERT_EQ(bitgrid("random-model " + path("bitnet.yaml") + " --type " + type + " --seed 3 -o " + path("m.gguf")).status, 0) << type;
    const json r = run("run " + path("m.gguf") + " --prompt abc --tokens 8");
    if (first.is_null()) first = r;
    EXPECT_EQ(r["tokens"], first["tokens"]) << type;
  }
  ASSERT_EQ(bitgrid("random-model " + path("bitnet.yaml") + " --format hf --seed 3 -o " + path("hf")).status, 0);
  EXPECT_EQ(run("run " + path("hf") + " --prompt abc --tokens 8")["tokens"].size(), 11u);
  for (const std::string graph : {"qwen3", "llama"}) {
    ASSERT_EQ(bitgrid("random-model " + path(graph + ".yaml") + " --type q1_0 -o " + path("m.gguf")).status, 0) << graph;
    EXPECT_EQ(run("check " + path("m.gguf") + " --prompt abc --tokens 6")["engines"]["cpu"]["mismatches"], 0);
  }
}

TEST_F(Scaled, PromptsComeFromFilesAndIds) {
  write_file(path("prompt"), "abc");
  const json file = run("run " + kFolder + " --prompt-file " + path("prompt") + " --tokens 3");
  EXPECT_EQ(run("run " + kFolder + " --prompt-ids 2,3,4 --tokens 3")["tokens"], file["tokens"]);
  EXPECT_THAT(bitgrid("run " + kFolder + " --prompt-ids 2,99 --tokens 1").output, HasSubstr("'99' is not a whole number from 0 to 31"));
  EXPECT_THAT(bitgrid("run " + kFolder + " --prompt-ids 2, --tokens 1").output, HasSubstr("'' is not a whole number"));
  EXPECT_THAT(bitgrid("run " + kFolder + " --prompt-ids 2 --chat").output, HasSubstr("a chat template needs a text"));
  EXPECT_THAT(bitgrid("run " + kFolder + " --prompt a --prompt-ids 2 --tokens 1").output, HasSubstr("there is more than one prompt"));
}

TEST_F(Scaled, CheckTakesIds) {
  const json text = run("check " + kFolder + " --prompt abc --tokens 5"), ids = run("check " + kFolder + " --prompt-ids 2,3,4 --tokens 5");
  EXPECT_EQ(ids["engines"], text["engines"]);
  EXPECT_THAT(bitgrid("check " + kFolder + " --prompt-ids 99").output, HasSubstr("--prompt-ids: '99' is not a whole number from 0 to 31"));
  EXPECT_THAT(bitgrid("check " + kFolder + " --prompt-ids 1 --prompt a").output,
              HasSubstr("give one of --prompt, --prompt-ids and --text"));
  EXPECT_THAT(bitgrid("check " + model_ + " --prompt-ids 1").output, HasSubstr("it is checked with --prompt"));
}

TEST_F(Scaled, OptionsWithoutUseAreRefused) {
  EXPECT_THAT(bitgrid("run " + kFolder + " --prompt a --arch x.yaml").output,
              HasSubstr("--arch: models with scales are not cut into tiles yet"));
  EXPECT_THAT(bitgrid("run " + kFolder + " --prompt a --i2s-layout arm").output, HasSubstr("only GGUF files have I2_S tensors"));
  EXPECT_THAT(bitgrid("run " + kGguf + " --prompt a --i2s-layout arm").output, HasSubstr("has no I2_S tensors; leave it out"));
  EXPECT_THAT(bitgrid("run " + model_ + " --prompt a --kv k=4").output,
              HasSubstr("only models with scales choose how keys and values are cached"));
  EXPECT_THAT(bitgrid("check " + model_ + " --activation silu").output, HasSubstr("this model states its own functions"));
}

TEST_F(Scaled, DumpsAreOpenedBeforeTheWork) {
  const Result r = bitgrid("run " + kFolder + " --prompt ab --tokens 2 --dump " + path("none/d.npz"));
  EXPECT_THAT(r.output, testing::AllOf(HasSubstr("check that the folder exists"), Not(HasSubstr("tokens/s"))));
}

TEST_F(Scaled, AFullContextStopsGeneration) {
  const Result r = bitgrid("run " + kFolder + " --prompt abcd --tokens 20 --context 8 --json " + path("r.json"));
  EXPECT_THAT(r.output, HasSubstr("the context of 8 positions is full after 5 tokens (--context)"));
  EXPECT_EQ(json_of("r.json")["positions"], 8);
  EXPECT_THAT(bitgrid("run " + kFolder + " --prompt abcdefghi --context 8").output,
              HasSubstr("the prompt has 9 tokens, but 8 positions fit"));
}

TEST_F(Scaled, SamplingFollowsItsSeed) {
  const std::string sample = "run " + kFolder + " --prompt 'the ' --tokens 24 --temperature 1.3 --top-k 12 --top-p 0.9 --seed ";
  const json one = run(sample + "1")["tokens"];
  EXPECT_EQ(run(sample + "1 --threads 1")["tokens"], one);
  EXPECT_NE(run(sample + "2")["tokens"], one);
}

TEST_F(Scaled, SamplingOptionsAreRead) {
  const std::string start = "run " + kFolder + " --prompt a --tokens 1 ";
  EXPECT_THAT(bitgrid(start + "--temperature 1 --top-p 1.5").output, HasSubstr("--top-p: '1.5' is not a number from 0 to 1"));
  EXPECT_THAT(bitgrid(start + "--temperature hot").output, HasSubstr("--temperature: 'hot' is not a number from 0.001 to 1000"));
  EXPECT_THAT(bitgrid(start + "--top-k 3").output, HasSubstr("without a temperature the likeliest token is taken"));
}

TEST_F(Scaled, EnginesThatDoNotRunItSaySo) {
  EXPECT_THAT(bitgrid("run " + kFolder + " --prompt a --engine systemc").output,
              HasSubstr("engine systemc does not run models with scales; choose one of cpu, float, dag, grid, rtl, fabric"));
  EXPECT_THAT(bitgrid("run " + model_ + " --prompt a --engine float").output, HasSubstr("engine float does not run this model"));
  EXPECT_THAT(bitgrid("check " + kFolder + " --engines cpu,systemc").output, HasSubstr("does not run models with scales"));
}

TEST_F(Scaled, KernelsGiveTheSameTextAndValues) {
  const std::string rest = " --prompt 'in the ' --tokens 12 --context 32";
  EXPECT_EQ(run("run " + kFolder + rest + " --engine dag")["tokens"], run("run " + kFolder + rest)["tokens"]);
  const json r = run("check " + kFolder + " --engines cpu,dag --prompt 'in the ' --tokens 10 --context 16");
  EXPECT_EQ(r["engines"]["dag"]["mismatches"], 0);
  EXPECT_EQ(r["engines"]["dag"]["compared"], 56660);
}

TEST_F(Scaled, ModelsThatAreNotLoweredYetSayWhy) {
  write_file(path("qwen3.yaml"), shapes("qwen3", 256));
  ASSERT_EQ(bitgrid("random-model " + path("qwen3.yaml") + " --type q1_0 -o " + path("m.gguf")).status, 0);
  EXPECT_THAT(bitgrid("run " + path("m.gguf") + " --prompt a --engine dag").output, HasSubstr(" so far; run it with --engine cpu"));
}

TEST_F(Scaled, CommandsThatNeedKernelsSayWhatRunsIt) {
  for (const std::string& command : {"estimate " + kFolder, "estimate " + kGguf})
    EXPECT_THAT(bitgrid(command).output, HasSubstr("this is a model with scales, which this command does not support yet; `bitgrid run`"))
        << command;
}

TEST_F(Scaled, KernelsAreWrittenAsVerilog) {
  const Result r = bitgrid("verilog " + kGguf + " --context 16 -o " + path("v"));
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("bitgrid_product_s17xu16tos33"));
}

TEST_F(Scaled, DumpsHoldWhatWasComputed) {
  ASSERT_EQ(bitgrid("run " + kFolder + " --prompt ab --tokens 2 --dump " + path("d.npz")).status, 0);
  const std::string npz = read_file(path("d.npz"));
  EXPECT_THAT(npz, HasSubstr("model.layers.0.self_attn.weights.npy"));
  EXPECT_THAT(npz, HasSubstr("'descr': '<i8', 'fortran_order': False, 'shape': (3, 32, )"));
}

TEST_F(Scaled, InspectGivesAVerdict) {
  const json good = run("inspect " + kGguf);
  EXPECT_EQ(good["runs"], true);
  EXPECT_EQ(good["graph"]["tied"], true);
  std::string cut = read_file(kGguf);
  cut.resize(cut.size() / 2);
  write_file(path("cut.gguf"), cut);
  const Result r = bitgrid("inspect " + path("cut.gguf"));
  EXPECT_NE(r.status, 0);
  EXPECT_THAT(r.output, HasSubstr("cut.gguf"));
  EXPECT_THAT(bitgrid("inspect " + path("none")).output, HasSubstr("none"));
}

TEST_F(Scaled, RunsSayWhatWasAssumedOnly) {
  EXPECT_THAT(bitgrid("run " + kFolder + " --prompt a --tokens 1").output, Not(HasSubstr("note:")));
  EXPECT_THAT(bitgrid("inspect " + kFolder).output, HasSubstr("note: weight_scale multiplies, as linear_class autobitlinear"));
}

TEST_F(Scaled, WhatIsNamedAsWeightsIsReadAsWeights) {
  write_file(path("m.gguf"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  EXPECT_THAT(bitgrid("run " + path("m.gguf")).output, HasSubstr("m.gguf: this is a Git LFS pointer instead of the file"));
  write_file(path("m.gguf"), "GG");
  EXPECT_THAT(bitgrid("run " + path("m.gguf")).output, HasSubstr("this is not a GGUF file"));
  write_file(path("m.safetensors"), "");
  EXPECT_THAT(bitgrid("run " + path("m.safetensors")).output, HasSubstr("m.safetensors: there is no config.json next to it"));
}

TEST_F(Scaled, ShapesWithoutAGraphAreRefused) {
  std::string text = shapes("bitnet", 256);
  text.erase(text.find("rope_theta"), std::string("rope_theta: 10000\n").size());
  write_file(path("s.yaml"), text);
  EXPECT_THAT(bitgrid("random-model " + path("s.yaml") + " -o " + path("m.gguf")).output, HasSubstr("it has no `rope_theta`"));
  EXPECT_FALSE(fs::exists(path("m.gguf")));
}

TEST_F(Scaled, EvaluateTakesOurDialectToo) {
  const Result cpu = bitgrid("evaluate " + std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-ternary/model.yaml --text " +
                             std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-ternary/heldout.txt");
  EXPECT_THAT(cpu.output, HasSubstr("1.943855 bits per token"));
}

}  // namespace
}  // namespace bitgrid
