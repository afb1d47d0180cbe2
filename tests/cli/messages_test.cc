// What the program says: of files that are wrong, and of those that are odd.
#include "frontend/safetensors.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

TEST_F(Cli, NothingOfAFileReachesTheTerminalRaw) {
  write_file(path("a\x1B[31m.blif"), ".model m\n.inputs a\n.outputs y\x1B[2J\n");
  const Result r = bitgrid("compile '" + path("a\x1B[31m.blif") + "' -o " + path("out"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("a\\x1B[31m.blif:3: nothing drives output y\\x1B[2J; add its .names"));
  EXPECT_EQ(r.output.find('\x1B'), std::string::npos);
  EXPECT_EQ(bitgrid("'\x1B[2J'").output.find('\x1B'), std::string::npos);
  EXPECT_EQ(bitgrid("compile --\x1B[2J").output.find('\x1B'), std::string::npos);
}

TEST_F(Cli, ATensorThatNoKeyNamesIsAWarningOfEveryCommand) {
  const std::string weights = path("model/weights.safetensors");
  const frontend::Safetensors file = frontend::read_safetensors(weights);
  std::vector<frontend::StoredTensor> tensors;
  for (const auto& [name, entry] : file.entries) tensors.push_back(frontend::tensor(file, name));
  tensors.push_back({"forgotten", frontend::DType::kI8, {1}, {1}});
  frontend::write_safetensors(weights, tensors);
  write_file(path("sweep.yaml"), "model: model/model.yaml\nparameters: {streams: [1, 2]}\n");
  for (const std::string& command : {"run " + model_ + " --tokens 1 --engine cpu", "check " + model_ + " --tokens 1 --engines cpu",
                                     "compile " + model_ + " -o " + path("c"), "verilog " + model_ + " -o " + path("v"),
                                     "estimate " + model_, "sweep " + path("sweep.yaml") + " -o " + path("s")}) {
    const Result r = bitgrid(command);
    EXPECT_EQ(r.status, 0) << command << r.output;
    EXPECT_THAT(r.output, HasSubstr("bitgrid: warning: " + weights + ": the tensor forgotten is not used\n")) << command;
    EXPECT_EQ(r.output.find("forgotten"), r.output.rfind("forgotten")) << command << ": said twice";
  }
}

TEST_F(Cli, TheLastLineOfACheckIsItsVerdict) {
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("out")).status, 0);
  const auto last_line = [](std::string output) {
    output.pop_back();
    return output.substr(output.rfind('\n') + 1);
  };
  const Result right = bitgrid("check " + model_ + " --tokens 2 --from " + path("out"));
  EXPECT_EQ(right.status, 0);
  EXPECT_THAT(last_line(right.output), testing::EndsWith(" values at 2 positions"));
  TinyParams other;
  other.seed = 2;
  const Result wrong = bitgrid("check " + write_model(tiny_model(other), dir_ + "/other") + " --tokens 2 --from " + path("out"));
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(last_line(wrong.output),
              testing::EndsWith(" values at 2 positions, but the folder does not match this model (1 note above)"));
}

TEST_F(Cli, MessagesSpeakOfTheFileThatIsWrong) {
  for (const char* name : {"arch.yaml", "defects.yaml", "technology.yaml", "sweep.yaml", "shapes.yaml"}) write_file(path(name), "\xFF");
  EXPECT_THAT(bitgrid("compile " + model_ + " -o " + path("o") + " --arch " + path("arch.yaml")).output,
              HasSubstr("arch.yaml:1: byte 0 is not UTF-8 text; save the file as UTF-8, as arch/default.yaml describes it"));
  EXPECT_THAT(bitgrid("compile " + model_ + " -o " + path("o") + " --defects " + path("defects.yaml")).output,
              HasSubstr("defects.yaml:1: byte 0 is not UTF-8 text; save the file as UTF-8, as docs/defects.md describes it"));
  EXPECT_THAT(bitgrid("estimate " + model_ + " --technology " + path("technology.yaml")).output,
              HasSubstr("technology.yaml:1: byte 0 is not UTF-8 text; save the file as UTF-8, as arch/45nm.yaml describes it"));
  EXPECT_THAT(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("s")).output,
              HasSubstr("sweep.yaml:1: byte 0 is not UTF-8 text; save the file as UTF-8, as docs/estimate.md describes it"));
  write_file(path("sweep.yaml"), "parameters: {streams: [1]}\n");
  EXPECT_THAT(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("s")).output,
              HasSubstr("sweep.yaml:1: the key `model` is missing in the file; add it; docs/estimate.md says what it means"));
  write_file(path("sweep.yaml"), "model: m.yaml\nparameters:\n  streams: [1, 0x10]\n");
  EXPECT_THAT(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("s")).output,
              HasSubstr("sweep.yaml:3: streams is `0x10`; give a whole number from 1 to 4294967296"));
  write_file(path("shapes.yaml"), "format:");
  EXPECT_THAT(bitgrid("estimate " + path("shapes.yaml")).output, HasSubstr("shapes.yaml:1: format is nothing, not a string"));
}

TEST_F(Cli, FilesMayBeginWithAByteOrderMark) {
  const std::string bom = "\xEF\xBB\xBF";
  write_file(path("n.blif"), bom + ".model n\n.inputs a b\n.outputs y\n.names a b y\n11 1\n");
  write_file(path("k.dag"), bom + "dag k\ninput a 1\noutput y a\n");
  write_file(path("model/model.yaml"), bom + read_file(model_));
  write_file(path("s.jsonl"), bom + "{\"in\": \"3\"}\n");
  write_file(path("grid.txt"), bom + "1 1\n0000000000000000\n");
  write_file(path("grid.json"), bom + "{\"width\":1,\"height\":1,\"cells\":[],\"format\":\"lutgrid-v1\"}");
  write_file(path("l.live"), bom + "probe c0_0_n\n");
  write_file(path("faults"), bom + "stuck1 0 0 N\n");
  for (const std::string& command :
       {"compile " + path("n.blif") + " -o " + path("n"), "compile " + path("k.dag") + " -o " + path("k"), "run " + model_ + " --tokens 1",
        "simulate " + path("n") + " --stimulus " + path("s.jsonl"), "simulate " + path("grid.txt") + " --cycles 1",
        "simulate " + path("grid.json") + " --cycles 2 --live " + path("l.live") + " --faults " + path("faults")}) {
    const Result r = bitgrid(command);
    EXPECT_EQ(r.status, 0) << command << "\n" << r.output;
  }
}

TEST_F(Cli, NetlistsWithNamesThatTheProgramMakesUp) {
  write_file(path("n2.blif"), ".inputs a b\n.outputs n2\n.names a b n2\n01 1\n.end\n");
  write_file(path("conn.blif"), ".model a..b\n.inputs a b\n.outputs y\n.names a b t\n11 1\n.conn t y\n.end\n");
  const bool prove = shell("berkeley-abc -c version >/dev/null 2>&1").status != 127;
  for (const char* name : {"n2", "conn"}) {
    const Result r = bitgrid("compile " + path(name) + ".blif -o " + path(name) + (prove ? " --prove" : ""));
    EXPECT_EQ(r.status, 0) << name << r.output;
    if (prove) {
      EXPECT_THAT(r.output, HasSubstr("proved 1 of 1 kernels")) << name;
    }
    const Result again = bitgrid("picture " + path(name) + " -o " + path("p.svg"));
    EXPECT_EQ(again.status, 0) << again.output;
  }
}

}  // namespace
}  // namespace bitgrid
