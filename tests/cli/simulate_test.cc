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
  EXPECT_THAT(bitgrid(command + "fast").output, HasSubstr("'fast' is not a simulator; choose auto, scalar, sliced or lanes"));
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

TEST_F(CliSimulate, TraceTakesAFileOrNone) {
  write_grid();
  const std::string grid = path("g.json");
  const std::string trace = bitgrid("simulate " + grid + " --cycles 2 --trace").output;
  EXPECT_THAT(trace, HasSubstr("# cycle 1 A"));
  EXPECT_EQ(bitgrid("simulate --trace " + grid + " --cycles 2").output, trace);
  write_file(path("s.jsonl"), "{\"in\": {\"W\": [1]}}\n{\"in\": {}}\n");
  const std::string run = "simulate " + grid + " --stimulus " + path("s.jsonl");
  EXPECT_EQ(bitgrid(run + " --vcd " + path("a.vcd")).status, 0);
  EXPECT_EQ(bitgrid(run + " --trace " + path("b.vcd")).status, 0);
  EXPECT_EQ(read_file(path("a.vcd")), read_file(path("b.vcd")));
  const Result fst = bitgrid(run + " --trace " + path("c.fst"));
  if (fst.status == 0) {
    EXPECT_GT(fs::file_size(path("c.fst")), 100u);
  } else {
    EXPECT_THAT(fst.output, HasSubstr("built without FST"));
  }
  EXPECT_THAT(bitgrid(run + " --trace " + path("c.txt")).output, HasSubstr("is not a waveform; give a name that ends in .vcd or .fst"));
  EXPECT_THAT(bitgrid("simulate --trace").output, HasSubstr("the grid is missing"));
}

TEST_F(CliSimulate, OtherConventionsAreReadAndNamed) {
  write_grid();
  const std::string expected = bitgrid("simulate " + path("g.json") + " --cycles 3 --json " + path("j.json")).output;
  EXPECT_EQ(json_of("j.json")["format"], "lutgrid-v1");
  const std::string cell = R"({"leds":[false,false,false,false],"values":["aaaa","ff00","f0f0","cccc"]})";
  write_file(path("browser.json"), "[[" + cell + "," + cell + "]]");
  const Result browser = bitgrid("simulate " + path("browser.json") + " --cycles 3");
  EXPECT_THAT(browser.output, HasSubstr("browser.json: read as grid-state JSON of the browser simulator"));
  EXPECT_THAT(browser.output, HasSubstr(expected));
  // The same two cells as a payload without a header: tables of N, E, S, W, low bytes first.
  const std::string word("\xF0\xF0\x00\xFF\xAA\xAA\xCC\xCC", 8);
  write_file(path("p.raw"), word + word);
  EXPECT_EQ(bitgrid("simulate " + path("p.raw") + " --size 2x1 --order snake --cycles 3").output, expected);
  EXPECT_THAT(bitgrid("simulate " + path("p.raw") + " --cycles 3").output, HasSubstr("is not a grid; name a lutgrid-v1 JSON"));
  EXPECT_THAT(bitgrid("simulate " + path("p.raw") + " --size 2 --cycles 3").output, HasSubstr("'2' is not a size"));
  EXPECT_THAT(bitgrid("simulate " + path("p.raw") + " --size 3x1 --cycles 3").output, HasSubstr("has 24 bytes, but the file has 16"));
}

}  // namespace
}  // namespace bitgrid
