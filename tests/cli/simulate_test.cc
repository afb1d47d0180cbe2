// bitgrid simulate and bitgrid faults as their user sees them.
#include <fstream>

#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

/// A folder with the kernel sum = a + b.
class CliSimulate : public Cli {
 protected:
  void compile_adder() {
    write_file(path("adder.dag"), "dag adder\ninput a 3\ninput b 3\ns:4 = add a b\noutput sum s\n");
    ASSERT_EQ(bitgrid("compile " + path("adder.dag") + " -o " + path("out")).status, 0);
  }
  void write_grid() {
    // Two cells that pass everything straight on.
    write_file(path("g.json"),
               "{\"width\":2,\"height\":1,\"cells\":[{\"x\":0,\"y\":0,\"luts\":[61680,65280,43690,52428]},"
               "{\"x\":1,\"y\":0,\"luts\":[61680,65280,43690,52428]}],\"format\":\"lutgrid-v1\"}");
  }
};

TEST_F(CliSimulate, EveryEngineGivesTheSameOutputs) {
  compile_adder();
  std::ofstream stimulus(path("s.jsonl"));
  for (int i = 0; i < 300; ++i) stimulus << "{\"in\": \"" << std::hex << i % 64 << "\"}\n";
  stimulus.close();
  const std::string command = "simulate " + path("out") + " --stimulus " + path("s.jsonl") + " --sim ";
  const Result expected = bitgrid(command + "scalar");
  ASSERT_EQ(expected.status, 0) << expected.output;
  for (const char* engine : {"auto", "sliced", "lanes", "lanes --threads 2"}) EXPECT_EQ(bitgrid(command + engine).output, expected.output);
  EXPECT_THAT(bitgrid(command + "fast").output, HasSubstr("'fast' is no simulator; choose auto, scalar, sliced or lanes"));
}

TEST_F(CliSimulate, FaultsAreCountedAndListed) {
  compile_adder();
  const std::string command = "faults " + path("out") + " --invocations 200 --kinds stuck0,stuck1,config --json ";
  const Result r = bitgrid(command + path("a.json") + " --missed " + path("missed.txt"));
  ASSERT_EQ(r.status, 0) << r.output;
  const json j = json_of("a.json");
  EXPECT_GT(j["detected"], 10);
  EXPECT_LT(j["detected"], j["faults"]);
  // What changed nothing in the campaign changes nothing alone.
  std::istringstream missed(read_file(path("missed.txt")));
  std::string line;
  ASSERT_TRUE(std::getline(missed, line));
  write_file(path("one.txt"), line + "\n");
  write_file(path("s.jsonl"), "{\"in\": \"2b\"}\n{\"in\": \"3f\"}\n");
  const Result s = bitgrid("simulate " + path("out") + " --stimulus " + path("s.jsonl") + " --faults " + path("one.txt"));
  EXPECT_EQ(s.output, "{\"out\": \"8\"}\n{\"out\": \"e\"}\n");
  const Result again = bitgrid(command + path("b.json") + " --threads 2");
  json a = j, b = json_of("b.json");
  a.erase("seconds");
  b.erase("seconds");
  EXPECT_EQ(a, b);
}

TEST_F(CliSimulate, LiveGridsStopAndGoOn) {
  write_grid();
  write_file(path("live.txt"), "drive 0-9 w0_in 1101\nwrite 4 1 0 0\nwrite 6 1 0 FB73EA62D951C840\nprobe e0_out\n");
  const std::string command = "simulate " + path("g.json") + " --live " + path("live.txt");
  EXPECT_EQ(bitgrid(command + " --cycles 10").output, "{\"probe\": \"e0_out\", \"bits\": \"1101000111\"}\n");
  EXPECT_EQ(bitgrid(command + " --cycles 5 --save " + path("state.json")).output, "{\"probe\": \"e0_out\", \"bits\": \"11010\"}\n");
  const std::string resume = command + " --cycles 5 --resume " + path("state.json");
  for (const char* engine : {"scalar", "sliced", "lanes"})
    EXPECT_EQ(bitgrid(resume + " --sim " + engine + " --vcd " + path("w.vcd")).output, "{\"probe\": \"e0_out\", \"bits\": \"00111\"}\n");
  EXPECT_THAT(read_file(path("w.vcd")), HasSubstr("e0_out"));
  write_file(path("h.json"), "{\"width\":2,\"height\":1,\"cells\":[],\"format\":\"lutgrid-v1\"}");
  const Result other = bitgrid("simulate " + path("h.json") + " --cycles 1 --resume " + path("state.json"));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.output, HasSubstr("belongs to another grid (2 x 1)"));
}

}  // namespace
}  // namespace bitgrid
