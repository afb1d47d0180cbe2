// Commands about silicon as their users run them: proofs, synthesis, Verilog of the fabric.
#include <cstdlib>
#include <set>

#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

#define NEEDS(program) \
  if (!is_installed(program)) GTEST_SKIP() << program << " is not installed (scripts/install-dependencies --test)"

class Silicon : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    kernel_ = path("gate.dag");
    write_file(kernel_, "dag gate\ninput a 4\ninput b 3\nt:4 = and a b\nu:4 = add t a\noutput s u\n");
  }

  /// The program with a PATH that holds nothing but `programs`.
  Result with_programs(const std::vector<std::string>& programs, const std::string& arguments) {
    fs::create_directories(path("bin"));
    for (const std::string& program : programs) {
      const std::string file = shell("command -v " + program).output;
      fs::create_symlink(file.substr(0, file.find('\n')), path("bin/" + program));
    }
    const std::string old = std::getenv("PATH");
    setenv("PATH", path("bin").c_str(), 1);
    Result result = bitgrid(arguments);
    setenv("PATH", old.c_str(), 1);
    return result;
  }

  int in_folder(const std::string& command) { return std::system(("cd " + dir_ + " && " + command).c_str()); }

  std::string kernel_;
};

TEST_F(Silicon, ProvesTheDatapathOfAKernel) {
  NEEDS("yosys");
  NEEDS("berkeley-abc");
  const Result r = bitgrid("check " + kernel_ + " --prove --json " + path("p.json"));
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("1 of 1 proved for all inputs, 0 refuted, 0 open"));
  EXPECT_EQ(json_of("p.json")["kernels"][0]["proved"], true);
}

TEST_F(Silicon, RefutesAChangedGateWithInputsByPortName) {
  NEEDS("yosys");
  NEEDS("berkeley-abc");
  ASSERT_EQ(bitgrid("verilog " + kernel_ + " -o " + path("v")).status, 0);
  std::string text = read_file(path("v/verilog/gate.v"));
  text.replace(text.find("i_a &"), 5, "i_a |");
  write_file(path("v/verilog/gate.v"), text);
  const Result r = bitgrid("check " + kernel_ + " --prove --from " + path("v"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, testing::ContainsRegex("REFUTED: output s\\[[0-3]\\]: expected [01], got [01] with a=0x[0-9a-f] b=0x[0-7]"));
  EXPECT_THAT(r.output, HasSubstr("0 of 1 proved for all inputs, 1 refuted, 0 open"));
}

TEST_F(Silicon, ProvesTheKernelsThatALayerIsCutInto) {
  NEEDS("yosys");
  NEEDS("berkeley-abc");
  write_file(path("arch.yaml"), "tile: {width: 24, height: 60}\n");
  const std::string arch = " --arch " + path("arch.yaml");
  ASSERT_EQ(bitgrid("verilog " + model_ + " -o " + path("v") + arch + " --json " + path("v.json")).status, 0);
  ASSERT_EQ(bitgrid("verilog " + model_ + " -o " + path("whole") + " --json " + path("whole.json")).status, 0);
  const json whole = json_of("whole.json"), parts = json_of("v.json");
  std::set<std::string> names;
  for (const json& k : whole["kernels"]) names.insert(k["name"]);
  std::string cut;  // a kernel that the whole model does not have
  for (const json& k : parts["kernels"]) cut = names.contains(k["name"]) ? cut : std::string(k["name"]);
  ASSERT_NE(cut, "");
  const Result r = bitgrid("check " + model_ + " --prove --kernel " + cut + arch + " --from " + path("v"));
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("1 of 1 proved"));
}

TEST_F(Silicon, AProofSaysWhichProgramIsMissing) {
  NEEDS("berkeley-abc");
  Result r = with_programs({"timeout", "berkeley-abc"}, "check " + kernel_ + " --prove");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("--prove: the program yosys cannot be run; install it (Debian: apt install yosys) or leave out --prove"));
  fs::remove_all(path("bin"));
  r = with_programs({"timeout"}, "check " + kernel_ + " --prove");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("--prove: the program berkeley-abc cannot be run; install it (Debian: apt install berkeley-abc)"));
}

TEST_F(Silicon, ReportsWhatSynthesisSays) {
  NEEDS("yosys");
  const Result r = bitgrid("report --synth " + kernel_ + " --side 1 --no-place --json " + path("s.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("cell, word in flip-flops"));
  EXPECT_THAT(r.output, HasSubstr("datapath gate"));
  EXPECT_THAT(r.output, HasSubstr("<- configuration"));
  EXPECT_THAT(r.output, HasSubstr("update_fj = 52.5: of a cell in a cycle"));
  const json j = json_of("s.json");
  EXPECT_EQ(j["results"][0]["flip_flops"], 68);
  EXPECT_EQ(j["results"][2]["latches"], 64);
  EXPECT_EQ(j["results"][4]["flip_flops"], 5);
  EXPECT_LT(j["results"][2]["area_um2"], j["results"][0]["area_um2"]);
  EXPECT_EQ(j["technology"]["variants"].size(), 3U);
}

TEST_F(Silicon, SynthesisSaysWhichProgramIsMissing) {
  const Result r = with_programs({"timeout"}, "report --synth");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("yosys: Yosys does not start; apt-get install yosys"));
}

TEST_F(Silicon, ReportAsksForWhatItNeeds) {
  EXPECT_THAT(bitgrid("report").output, HasSubstr("report: no folder is given; give the -o folder of `bitgrid compile`, or --synth"));
  EXPECT_THAT(bitgrid("report " + dir_).output, HasSubstr("report: no file is given for the page; give one with -o"));
  EXPECT_THAT(bitgrid("report --synth " + kernel_ + " --kernel other").output,
              HasSubstr("--kernel: there is no kernel other; the kernels are gate"));
}

TEST_F(Silicon, FabricVerilogIsCleanAndItsTestbenchPasses) {
  NEEDS("verilator");
  NEEDS("iverilog");
  NEEDS("yosys");
  ASSERT_EQ(bitgrid("verilog " + kernel_ + " -o " + path("v") + " --style fabric").status, 0);
  for (const std::string top : {"bitgrid_grid", "bitgrid_grid_vector"})
    EXPECT_EQ(in_folder("verilator --lint-only -Wall --top-module " + top + " v/fabric/bitgrid_*.v > lint 2>&1 && test ! -s lint"), 0)
        << read_file(path("lint"));
  EXPECT_EQ(in_folder("cd v/fabric && iverilog -g2005 -Wall -o tb gate_tb.v bitgrid_*.v > log 2>&1 && vvp tb >> log"), 0);
  EXPECT_THAT(read_file(path("v/fabric/log")), HasSubstr("PASS: 32 output bits of 8 invocations"));
  EXPECT_EQ(in_folder("yosys -q -p 'read_verilog v/fabric/bitgrid_*.v; hierarchy -check -top bitgrid_grid; proc; check -assert' > ys 2>&1"),
            0)
      << read_file(path("ys"));
}

TEST_F(Silicon, ADamagedChainFailsTheTestbench) {
  NEEDS("iverilog");
  ASSERT_EQ(bitgrid("verilog " + kernel_ + " -o " + path("v") + " --style fabric").status, 0);
  std::string chain = read_file(path("v/fabric/gate_chain.hex"));
  for (char& c : chain) c = c == '0' ? '3' : c;
  write_file(path("v/fabric/gate_chain.hex"), chain);
  in_folder("cd v/fabric && iverilog -g2005 -o tb gate_tb.v bitgrid_*.v && vvp tb > log");
  EXPECT_THAT(read_file(path("v/fabric/log")), testing::Not(HasSubstr("PASS")));
}

std::vector<std::string> names_of(const json& report) {
  std::vector<std::string> names;
  for (const json& k : report["kernels"]) names.push_back(k["name"]);
  return names;
}

TEST_F(Silicon, VerilogIsCutForTheTileOfTheArchitecture) {
  write_file(path("arch.yaml"), "tile: {width: 24, height: 60}\n");
  const std::string arch = " --arch " + path("arch.yaml");
  ASSERT_EQ(bitgrid("verilog " + model_ + " -o " + path("whole") + " --json " + path("whole.json")).status, 0);
  const Result r = bitgrid("verilog " + model_ + " -o " + path("cut") + arch + " --json " + path("cut.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_GT(json_of("cut.json")["kernels"].size(), json_of("whole.json")["kernels"].size());
  EXPECT_EQ(json_of("cut.json")["arch"]["tile"]["width"], 24);
  ASSERT_EQ(bitgrid("verilog " + model_ + " -o " + path("cells") + " --style fabric" + arch + " --json " + path("cells.json")).status, 0);
  const json cells = json_of("cells.json");
  EXPECT_EQ(names_of(cells), names_of(json_of("cut.json")));
  for (const json& k : cells["kernels"]) {
    EXPECT_LE(k["width"], 24) << k["name"];
    EXPECT_LE(k["height"], 60) << k["name"];
  }
}

}  // namespace
}  // namespace bitgrid
