// estimate, sweep and report as their user runs them.
#include <algorithm>
#include <map>
#include <set>
#include "bitgrid_sim/kernel_simulator.h"
#include "engines/artefacts.h"

#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

TEST_F(Cli, EstimateEqualsCompile) {
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("out") + " --json " + path("compile.json")).status, 0);
  const Result r = bitgrid("estimate " + model_ + " --json " + path("estimate.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  const json a = json_of("compile.json"), b = json_of("estimate.json");
  EXPECT_EQ(a["cells_total"], b["cells_total"]);
  EXPECT_EQ(a["cycles_per_token"], b["cycles_per_token"]);
  EXPECT_TRUE(b["exact"].get<bool>());
  ASSERT_EQ(a["kernels"].size(), b["kernels"].size());
  for (size_t i = 0; i < a["kernels"].size(); ++i) {
    for (const char* figure : {"name", "cells", "ii_cycles", "latency_cycles", "invocations_per_token"}) {
      EXPECT_EQ(a["kernels"][i][figure], b["kernels"][i][figure]) << i << figure;
    }
  }
}

TEST_F(Cli, EstimateFollowsTargetAndTileOfCompile) {
  write_file(path("arch.yaml"), "tile: {width: 24, height: 60}\nplatform: {clock_mhz: 250}\n");
  const std::string options = model_ + " --optimize throughput --arch " + path("arch.yaml");
  ASSERT_EQ(bitgrid("compile " + options + " -o " + path("out") + " --json " + path("compile.json")).status, 0);
  const Result r = bitgrid("estimate " + options + " --json " + path("estimate.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  const json a = json_of("compile.json"), b = json_of("estimate.json");
  EXPECT_EQ(a["cells_total"], b["cells_total"]);
  EXPECT_EQ(a["cycles_per_token"], b["cycles_per_token"]);
  EXPECT_EQ(a["kernels"].size(), b["kernels"].size());
  EXPECT_EQ(b["optimize"], "throughput");
  EXPECT_EQ(b["technology"]["clock_mhz"], 250);
}

TEST_F(Cli, EstimateOfShapesSaysWhatItAssumes) {
  const std::string shapes = std::string(BITGRID_SOURCE_DIR) + "/examples/shapes/bitnet-b158-2b4t.yaml";
  const Result r = bitgrid("estimate " + shapes + " --context 512 --streams 4 --json " + path("e.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("assumes: word lengths for the worst weights"));
  EXPECT_THAT(r.output, HasSubstr("relief: "));
  const json e = json_of("e.json");
  EXPECT_EQ(e["context"], 512);
  EXPECT_FALSE(e["exact"].get<bool>());
  EXPECT_GE(e["attention_by_context"].size(), 3U);
}

/// The points that no other one beats in one figure and equals or beats in the other; the first of equal ones; by growing area.
std::vector<size_t> front_of(const json& points) {
  std::map<double, size_t> by_area;
  for (size_t i = 0; i < points.size(); ++i) {
    const double area = points[i]["area_mm2"], speed = points[i]["tokens_per_second"];
    const bool beaten = std::any_of(points.begin(), points.end(), [&](const json& other) {
      const double a = other["area_mm2"], s = other["tokens_per_second"];
      return a <= area && s >= speed && (a < area || s > speed);
    });
    if (!beaten) by_area.emplace(area, i);
  }
  std::vector<size_t> front;
  for (const auto& [area, i] : by_area) front.push_back(i);
  return front;
}

class SweepCommand : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    write_file(
        path("tiny.yaml"),
        "format: bitgrid-shapes-1\nname: a\nwidth: 64\nvocabulary: 32\ncontext: 64\nweights: ternary\nactivation_bits: 4\nlayers: 2\n"
        "attention: {heads: 4, head_width: 16}\nfeedforward: {hidden: 256}\n");
    write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {streams: [1, 4], kv_bits: [2, 4], clock_mhz: [100, 200]}\n");
  }
};

TEST_F(SweepCommand, WritesTablesAndFrontAndGoesOnWhereItWas) {
  const std::string command = "sweep " + path("sweep.yaml") + " -o " + path("out") + " --json " + path("s.json");
  ASSERT_EQ(bitgrid(command).status, 0);
  EXPECT_EQ(json_of("s.json")["points_reused"], 0);
  const std::string csv = read_file(path("out/sweep.csv"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 9);
  const json swept = json_of("s.json");
  EXPECT_EQ(swept["front"], json(front_of(swept["points"])));
  EXPECT_EQ(swept["front"].size(), 2U);
  fs::remove(path("out/points/3.json"));
  write_file(path("out/points/5.json"), "{\"point\": 5");  // killed while writing
  ASSERT_EQ(bitgrid(command).status, 0);
  EXPECT_EQ(json_of("s.json")["points_reused"], 6);
  EXPECT_EQ(read_file(path("out/sweep.csv")), csv);
}

TEST_F(SweepCommand, PointsOfOtherParametersAreNotReused) {
  ASSERT_EQ(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out")).status, 0);
  write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {streams: [2]}\n");
  ASSERT_EQ(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out") + " --json " + path("s.json")).status, 0);
  EXPECT_EQ(json_of("s.json")["points_reused"], 0);
}

constexpr const char* kSmallShapes =
    "format: bitgrid-shapes-1\nname: a\nwidth: 64\nvocabulary: 32\ncontext: 64\nweights: ternary\nactivation_bits: 4\nlayers: 2\n"
    "attention: {heads: 4, head_width: 16}\nfeedforward: {hidden: 128}\n";

TEST_F(SweepCommand, PointsOfAnotherModelAreNotReused) {
  const auto cells_of = [&](const std::string& out) {
    EXPECT_EQ(bitgrid("sweep " + path("sweep.yaml") + " -o " + path(out) + " --json " + path("s.json")).status, 0);
    return json_of("s.json")["points"][0]["cells_total"].get<int64_t>();
  };
  write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {streams: [1]}\n");
  const int64_t before = cells_of("out");
  write_file(path("tiny.yaml"), kSmallShapes);  // the same name, another content
  EXPECT_LT(cells_of("out"), before);
  EXPECT_EQ(json_of("s.json")["points_reused"], 0);
  const int64_t small = cells_of("fresh");
  write_file(path("other.yaml"), kSmallShapes);
  write_file(path("sweep.yaml"), "model: other.yaml\nparameters: {streams: [1]}\n");  // another name, the same content
  EXPECT_EQ(cells_of("out"), small);
  EXPECT_EQ(json_of("s.json")["points_reused"], 1);
}

TEST_F(SweepCommand, PointsOfOtherWeightsAreNotReused) {
  write_file(path("sweep.yaml"), "model: " + model_ + "\nparameters: {streams: [1]}\n");
  const std::string command = "sweep " + path("sweep.yaml") + " -o " + path("out") + " --json " + path("s.json");
  const std::string yaml = read_file(model_);
  ASSERT_EQ(bitgrid(command).status, 0);
  TinyParams other;
  other.seed = 2;
  write_file(path("model/weights.safetensors"), print_model(tiny_model(other)).weights);
  ASSERT_EQ(bitgrid(command).status, 0);
  EXPECT_EQ(json_of("s.json")["points_reused"], 0);
  ASSERT_EQ(bitgrid(command).status, 0);
  EXPECT_EQ(json_of("s.json")["points_reused"], 1);
}

TEST_F(SweepCommand, PointsOfOtherCodeAreNotReused) {
  write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {streams: [1]}\n");
  const std::string command = "sweep " + path("sweep.yaml") + " -o " + path("out") + " --json " + path("s.json");
  ASSERT_EQ(bitgrid(command).status, 0);
  json point = json_of("out/points/0.json");
  point["key"] = "0123456789abcdef";
  write_file(path("out/points/0.json"), point.dump());
  ASSERT_EQ(bitgrid(command).status, 0);
  EXPECT_EQ(json_of("s.json")["points_reused"], 0);
}

TEST_F(SweepCommand, ErrorsAreNeverReused) {
  write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {weights: [ternary, heavy]}\n");
  const std::string command = "sweep " + path("sweep.yaml") + " -o " + path("out") + " --json " + path("s.json");
  ASSERT_EQ(bitgrid(command).status, 0);
  ASSERT_TRUE(json_of("s.json")["points"][1].contains("error"));
  ASSERT_EQ(bitgrid(command).status, 0);
  EXPECT_EQ(json_of("s.json")["points_reused"], 1);  // the other one
}

// A spreadsheet would compute a text that begins with =.
TEST_F(SweepCommand, TextsOfTheTableStayTexts) {
  write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {weights: [\"=1+1\", \"+x\", \"-x\", \"@x\", \"a,b\"]}\n");
  ASSERT_EQ(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out")).status, 0);
  const std::string csv = read_file(path("out/sweep.csv"));
  for (const char* row : {"0,'=1+1,", "1,'+x,", "2,'-x,", "3,'@x,", "4,\"a,b\","}) EXPECT_THAT(csv, HasSubstr(std::string("\n") + row));
}

TEST_F(SweepCommand, TilesAndDefectsOfAModel) {
  write_file(path("sweep.yaml"), "model: " + model_ +
                                     "\nparameters: {tile_width: [0, 24], tile_height: [60], defect_rate: [0, 0.02], seed: [3]}\n"
                                     "minimise: cells_total\n");
  const Result r = bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out") + " --json " + path("s.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  const json points = json_of("s.json")["points"];
  ASSERT_EQ(points.size(), 4U);
  const char* tiles[] = {"{height: 60}", "{width: 24, height: 60}"};
  for (size_t t = 0; t < 2; ++t) {
    const json& flawless = points[2 * t];
    write_file(path("arch.yaml"), std::string("tile: ") + tiles[t] + "\n");
    ASSERT_EQ(bitgrid("estimate " + model_ + " --arch " + path("arch.yaml") + " --json " + path("e.json")).status, 0);
    EXPECT_EQ(flawless["cells_total"], json_of("e.json")["cells_total"]) << flawless;
  }
  EXPECT_GT(points[1]["cells_total"], points[0]["cells_total"]);  // around defects
  EXPECT_GT(points[2]["cells_total"], points[0]["cells_total"]);  // cut into tiles
  EXPECT_GT(points[3]["tiles"], points[2]["tiles"]);              // both
  write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {defect_rate: [0.01]}\n");
  ASSERT_EQ(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out2")).status, 0);
  EXPECT_THAT(read_file(path("out2/sweep.csv")), HasSubstr("give a model with weights"));
}

TEST_F(SweepCommand, TargetsOfAModel) {
  TinyParams bits;
  bits.values = WeightValues::kBinary;
  bits.input_bits = bits.hidden_bits = 1;
  const std::string model = write_model(tiny_model(bits), path("bits"));
  write_file(path("sweep.yaml"), "model: " + model + "\nparameters: {optimize: [area, throughput]}\n");
  ASSERT_EQ(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out") + " --json " + path("s.json")).status, 0);
  const json points = json_of("s.json")["points"];
  for (const json& point : points) {
    const std::string target = point["parameters"]["optimize"];
    ASSERT_EQ(bitgrid("estimate " + model + " --optimize " + target + " --json " + path("e.json")).status, 0);
    for (const char* figure : {"cells_total", "cycles_per_token"}) EXPECT_EQ(point[figure], json_of("e.json")[figure]) << target;
  }
  EXPECT_GT(points[1]["cells_total"], points[0]["cells_total"]);  // parallel forms
}

TEST_F(SweepCommand, JobListsDoTheSamePoints) {
  ASSERT_EQ(
      bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out") + " --parallel " + path("jobs") + " --slurm " + path("jobs.sh")).status,
      0);
  const std::string jobs = read_file(path("jobs"));
  EXPECT_EQ(std::count(jobs.begin(), jobs.end(), '\n'), 8);
  EXPECT_THAT(read_file(path("jobs.sh")), HasSubstr("#SBATCH --array=0-7\n"));
  ASSERT_EQ(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out") + " --point 2").status, 0);
  ASSERT_EQ(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out") + " --json " + path("s.json")).status, 0);
  EXPECT_EQ(json_of("s.json")["points_reused"], 1);
}

TEST_F(SweepCommand, ManyPointsShareTheTasksOfAnArray) {
  std::string streams = "1";
  for (int n = 2; n <= 1503; ++n) streams += "," + std::to_string(n);
  fs::create_directory(path("it's $HOME"));
  fs::copy(path("tiny.yaml"), path("it's $HOME/tiny.yaml"));
  write_file(path("it's $HOME/s.yaml"), "model: tiny.yaml\nparameters: {streams: [" + streams + "]}\n");
  const std::string in_folder = "cd " + dir_ + "/it*; ";
  ASSERT_EQ(shell(in_folder + BITGRID_BINARY + " sweep s.yaml -o out --slurm jobs.sh").status, 0);
  const std::string job = read_file(path("it's $HOME/jobs.sh"));
  EXPECT_THAT(job, HasSubstr("#SBATCH --array=0-751\n"));  // an index above 1,000 is usually refused
  // Anywhere, and without a PATH: the last task has one point left, of a pair.
  const Result r = shell("cd /; env -i SLURM_ARRAY_TASK_ID=751 /bin/sh " + dir_ + "/it*/jobs.sh 2>&1");
  EXPECT_EQ(r.status, 0) << r.output;
  ASSERT_EQ(shell("cd /; env -i SLURM_ARRAY_TASK_ID=3 /bin/sh " + dir_ + "/it*/jobs.sh").status, 0);
  std::set<std::string> points;
  for (const auto& entry : fs::directory_iterator(path("it's $HOME/out/points"))) points.insert(entry.path().filename());
  EXPECT_EQ(points, (std::set<std::string>{"6.json", "7.json", "1502.json"}));
}

TEST_F(SweepCommand, TheLargestSweepFitsAnArray) {
  std::string thousand = "1";
  for (int n = 2; n <= 1000; ++n) thousand += "," + std::to_string(n);
  write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {streams: [" + thousand + "], clock_mhz: [" + thousand + "]}\n");
  ASSERT_EQ(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out") + " --slurm " + path("jobs.sh")).status, 0);
  EXPECT_THAT(read_file(path("jobs.sh")), HasSubstr("#SBATCH --array=0-999\n"));
}

TEST_F(SweepCommand, NamesWithALineBreakAreNotWrittenIntoJobs) {
  for (const char* kind : {"slurm", "parallel"}) {
    const Result r = bitgrid("sweep " + path("sweep.yaml") + " -o \"$(printf '" + path("a\\nb") + "')\" --" + kind + " " + path("jobs"));
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.output, HasSubstr("-o: its path has a line break, which a list of jobs cannot hold; rename it"));
    EXPECT_FALSE(fs::exists(path("jobs")));
  }
}

TEST_F(SweepCommand, BadParametersAreNamed) {
  write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {streams: [1], kv_bit: [2]}\n");
  EXPECT_THAT(bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out")).output, HasSubstr("kv_bit"));
  write_file(path("sweep.yaml"), "model: tiny.yaml\nparameters: {streams: [many]}\n");
  const Result r = bitgrid("sweep " + path("sweep.yaml") + " -o " + path("out"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("sweep.yaml:2: streams is `many`; give a whole number from 1 to 4294967296"));
}

/// What a browser says of the page, or nothing where there is no browser.
std::string in_browser(const std::string& file, const std::string& window, const std::string& options) {
  return "timeout 60 chromium --headless --no-sandbox --disable-gpu --enable-logging=stderr --window-size=" + window +
         " --virtual-time-budget=3000 " + options + " file://" + file + " 2>&1";
}

TEST_F(Cli, ReportIsOnePageThatRunsWithoutScriptErrors) {
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("out")).status, 0);
  const Result r = bitgrid("report " + path("out") + " --model " + model_ + " -o " + path("r.html"));
  ASSERT_EQ(r.status, 0) << r.output;
  const std::string html = read_file(path("r.html"));
  std::string measured = html;  // nothing is wider than the window
  measured.insert(measured.find("</body>"),
                  "<script>document.body.append('fits: '+(document.documentElement.scrollWidth<=innerWidth))</script>");
  write_file(path("measured.html"), measured);
  for (const char* part :
       {"<h2>Graph", "<h2>Timeline", "<h2>Roofline", "<h2>Kernels", "<h2>Floorplan", "<h2>Effective configuration", "bitgrid_version"})
    EXPECT_THAT(html, HasSubstr(part));
  for (const char* outside : {"http://", "https://", "src=", "@import"}) EXPECT_THAT(html, testing::Not(HasSubstr(outside)));
  if (std::system("command -v chromium > /dev/null") != 0) GTEST_SKIP() << "chromium is not installed: the page's script was not run";
  for (const char* window : {"1400,1000", "390,844"}) {
    const std::string dom = shell(in_browser(path("measured.html"), window, "--dump-dom")).output;
    EXPECT_THAT(dom, HasSubstr("cell ("));  // the script came to its end: hover text of the middle cell
    EXPECT_THAT(dom, testing::Not(HasSubstr("Uncaught"))) << window;
    EXPECT_THAT(dom, HasSubstr("fits: true")) << window;
  }
  std::string broken = html;
  broken.replace(broken.find("function fit()"), 14, "function fat()");
  write_file(path("broken.html"), broken);
  EXPECT_THAT(shell(in_browser(path("broken.html"), "1400,1000", "--dump-dom")).output, HasSubstr("Uncaught"));
}

/// A number of `bits` bits in hexadecimal after `word` in a text.
BitVector number_after(const std::string& text, const std::string& word, uint32_t bits) {
  const size_t from = text.find(word) + word.size();
  return from_hex(text.substr(from, text.find_first_not_of("0123456789abcdef", from) - from), bits);
}

TEST_F(Cli, ThePagePlaysAnInvocationAsTheSimulatorRunsIt) {
  if (std::system("command -v chromium > /dev/null") != 0) GTEST_SKIP() << "chromium is not installed: the page's script was not run";
  write_file(path("k.dag"), "dag k\ninput x 9\nc:4 = popcount x\nt = constant 4 0x3\nm:1 = less t c\noutput y m\noutput n c\n");
  for (const std::string& source : {model_, path("k.dag") + " --mode settle", path("k.dag") + " --mode wave"}) {
    ASSERT_EQ(bitgrid("compile " + source + " -o " + path("out") + " --again").status, 0);
    ASSERT_EQ(bitgrid("report " + path("out") + " -o " + path("r.html")).status, 0);
    const std::string dom = shell(in_browser(path("r.html") + "#play", "1400,1000", "--dump-dom")).output;
    ASSERT_THAT(dom, HasSubstr(" output ")) << source;
    const MappedKernel kernel = engines::read_compiled(path("out"))->kernels[0];
    const std::string hover = dom.substr(dom.find("<div id=\"hover\">"));
    BitMatrix inputs(1, kernel.input_bits);
    inputs.words = number_after(hover, "input ", kernel.input_bits).words;
    const BitMatrix outputs = sim::KernelSimulator(kernel).run(inputs);
    EXPECT_EQ(number_after(hover, "output ", kernel.output_bits).words, outputs.words) << source;
  }
}

TEST_F(Cli, ReportHasTheFiguresOfTheCompileItShows) {
  write_file(path("arch.yaml"), "tile: {width: 200, height: 90}\n");
  write_file(path("defects.yaml"), "cells: [[3, 3], [9, 5], [20, 8]]\n");
  const std::string compile = "compile " + model_ + " --optimize throughput -o " + path("out") + " --json " + path("c.json");
  for (const std::string& options : {std::string(), " --arch " + path("arch.yaml"), " --defects " + path("defects.yaml")}) {
    ASSERT_EQ(bitgrid(compile + options).status, 0);
    const Result r = bitgrid("report " + path("out") + " --model " + model_ + " -o " + path("r.html"));
    ASSERT_EQ(r.status, 0) << r.output;
    const json c = json_of("c.json");
    EXPECT_THAT(read_file(path("r.html")),
                HasSubstr("<p>" + c["cells_total"].dump() + " cells, " + c["cycles_per_token"].dump() + " cycles per token"));
  }
}

TEST_F(Cli, ReportNamesThePortsOfTheModel) {
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("out")).status, 0);
  ASSERT_EQ(bitgrid("report " + path("out") + " --model " + model_ + " -o " + path("r.html")).status, 0);
  EXPECT_THAT(read_file(path("r.html")), HasSubstr("\"names\":{\"in\":[[\""));
}

TEST_F(Cli, ReportRefusesAnotherModel) {
  ASSERT_EQ(bitgrid("compile " + model_ + " -o " + path("out")).status, 0);
  const std::string other = write_model(tiny_model({.seed = 7}), path("other"));
  EXPECT_THAT(bitgrid("report " + path("out") + " --model " + other + " -o " + path("r.html")).output, HasSubstr("this is not what"));
  EXPECT_FALSE(fs::exists(path("r.html")));
}

}  // namespace
}  // namespace bitgrid
