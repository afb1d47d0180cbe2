// docs/json.md against what the commands write: every documented field exists with its type, and no other does.
#include <functional>
#include <map>
#include <sstream>

#include "bitgrid_sim/systemc/platform.h"
#include "frontend/grids/grid_io.h"
#include "frontend/npy.h"
#include "frontend/npz.h"
#include "tests/cli/cli_support.h"
#include "tests/support/onnx_file.h"

namespace bitgrid {
namespace {

struct Field {
  std::string path;  // "kernels[].name"; a part "*" stands for any key
  std::string type;  // "integer", "number or null", ..
  std::string when;  // "always", or a condition; "rarely: .." need not occur in these tests
};
using Section = std::vector<Field>;

std::string stripped(std::string text) {
  text.erase(0, text.find_first_not_of(" `"));
  text.erase(text.find_last_not_of(" `") + 1);
  return text;
}

/// Section titles and their tables `| field | type | when | meaning |`.
std::map<std::string, Section> read_schema() {
  std::istringstream lines(read_file(std::string(BITGRID_SOURCE_DIR) + "/docs/json.md"));
  std::map<std::string, Section> sections;
  std::string title, line;
  while (std::getline(lines, line)) {
    if (line.rfind("## ", 0) == 0) title = stripped(line.substr(3));
    if (line.rfind("| `", 0) != 0) continue;
    std::istringstream cells(line.substr(1));
    Field f;
    std::getline(cells, f.path, '|');
    std::getline(cells, f.type, '|');
    std::getline(cells, f.when, '|');
    sections[title].push_back({stripped(f.path), stripped(f.type), stripped(f.when)});
  }
  return sections;
}

std::string type_of(const json& value) {
  if (value.is_number_integer()) return "integer";
  if (value.is_number()) return "number";
  return value.type_name();
}

bool has_type(const json& value, const std::string& type) {
  const std::string is = type_of(value);
  std::istringstream words(type);
  for (std::string word; words >> word;) {
    if (word == is || (word == "number" && is == "integer")) return true;
  }
  return false;
}

/// Compares values with a section; remembers which fields occurred.
class Checker {
 public:
  explicit Checker(const Section& section) : section_(section), seen_(section.size()) {}

  void check(const json& value, const std::string& path = "") {
    if (value.is_array()) {
      for (const json& element : value) check(element, path + "[]");
      return;
    }
    if (!value.is_object()) return;
    const std::string dot = path.empty() ? "" : path + ".";
    for (const auto& [key, member] : value.items()) {
      std::string at = dot + key;
      if (find(at) < 0) at = dot + "*";
      const int field = find(at);
      if (field < 0) {
        complaint("`" + dot + key + "` is not documented");
        continue;
      }
      const auto f = static_cast<size_t>(field);
      seen_[f] = true;
      if (!has_type(member, section_[f].type)) complaint("`" + dot + key + "` is " + type_of(member) + ", not " + section_[f].type);
      check(member, at);
    }
    for (const Field& f : section_) {
      const size_t end = f.path.size();
      const size_t name = f.path.rfind('.') == std::string::npos ? 0 : f.path.rfind('.') + 1;
      if (f.when != "always" || f.path.substr(0, name) != dot || f.path.substr(name, end) == "*") continue;
      if (!value.contains(f.path.substr(name))) complaint("`" + f.path + "` is missing");
    }
  }

  /// Complaints, and fields that never occurred.
  std::string result() const {
    std::string text = complaints_;
    for (size_t i = 0; i < section_.size(); ++i) {
      if (!seen_[i] && section_[i].when.rfind("rarely", 0) != 0) text += "`" + section_[i].path + "` never occurs\n";
    }
    return text;
  }

 private:
  int find(const std::string& path) const {
    for (size_t i = 0; i < section_.size(); ++i) {
      if (section_[i].path == path) return static_cast<int>(i);
    }
    return -1;
  }
  void complaint(const std::string& text) {
    if (complaints_.find(text) == std::string::npos) complaints_ += text + "\n";
  }

  const Section& section_;
  std::vector<bool> seen_;
  std::string complaints_;
};

class JsonSchema : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    write_file(path("k.dag"), "dag k\ninput x 6\nc:3 = popcount x\nt = constant 3 0x2\nm:1 = less t c\noutput y m\n");
  }

  /// What a command writes with --json.
  json of(const std::string& arguments, int status = 0) {
    const std::string file = path("result" + std::to_string(files_++) + ".json");
    const Result r = bitgrid(arguments + " --json " + file);
    EXPECT_EQ(r.status, status) << arguments << "\n" << r.output;
    return fs::exists(file) ? json::parse(read_file(file)) : json();
  }
  json file(const std::string& name) const { return json_of(name); }
  std::string compiled(const std::string& source, const std::string& out, const std::string& options = "") {
    EXPECT_EQ(bitgrid("compile " + source + " -o " + path(out) + " " + options).status, 0);
    return path(out);
  }
  void expect(const std::string& title, const std::vector<json>& values) const {
    const auto schema = read_schema();
    ASSERT_TRUE(schema.contains(title)) << title << " has no table in docs/json.md";
    Checker checker(schema.at(title));
    for (const json& value : values) checker.check(value);
    EXPECT_EQ(checker.result(), "") << title;
  }

 private:
  int files_ = 0;
};

const std::string kBitnet = std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-bitnet";

TEST_F(JsonSchema, Compile) {
  write_file(path("defects.yaml"), "cells:\n  - [3, 3]\n");
  std::vector<json> all = {of("compile " + model_ + " -o " + path("a")),
                           of("compile " + model_ + " -o " + path("b") + " --no-verify --defects " + path("defects.yaml")),
                           of("compile " + netlist() + " --mode settle --effort fast -o " + path("c"))};
  if (is_installed("berkeley-abc")) all.push_back(of("compile " + path("k.dag") + " --mode wave --prove -o " + path("d")));
  expect("bitgrid compile --json", all);
}

TEST_F(JsonSchema, FilesOfACompile) {
  write_file(path("defects.yaml"), "cells:\n  - [3, 3]\n");
  write_file(path("arch.yaml"), "tile: {width: 40, height: 90}\n");
  compiled(model_, "a", "--arch " + path("arch.yaml"));
  compiled(netlist(), "b", "--mode settle --effort fast --defects " + path("defects.yaml"));
  expect("compile.json", {file("a/compile.json"), file("b/compile.json")});
  std::vector<json> kernels;
  for (const auto& entry : fs::directory_iterator(path("a/kernels"))) {
    if (entry.path().extension() == ".json") kernels.push_back(json::parse(read_file(entry.path().string())));
  }
  expect("kernels/NAME.json", kernels);
}

TEST_F(JsonSchema, Run) {
  const std::string run = "run " + model_ + " --prompt a --tokens 2 --engine ";
  expect("bitgrid run --json", {of(run + "grid"), of(run + "cpu"), of("run " + kBitnet + " --prompt a --tokens 2")});
}

TEST_F(JsonSchema, ModelsWithScales) {
  write_file(path("text"), "in the beginning");
  const std::string shapes =
      "format: bitgrid-shapes-1\nname: s\nwidth: 64\nvocabulary: 300\ncontext: 32\nweights: ternary\nactivation_bits: 8\nlayers: 1\n"
      "attention: {heads: 2, kv_heads: 1, head_width: 32}\nfeedforward: {hidden: 64, gated: true}\ngraph: bitnet\nrope_theta: 10000\n"
      "eps: 1e-5\ntied: true\n";
  write_file(path("shapes.yaml"), shapes);
  expect("bitgrid check CHECKPOINT --json", {of("check " + kBitnet + " --engines float,cpu,dag --context 16 --text " + path("text"))});
  expect("bitgrid evaluate --json", {of("evaluate " + kBitnet + " --text " + path("text"))});
  expect("bitgrid import --json", {of("import " + kBitnet + " -o " + path("imported"))});
  expect("bitgrid random-model --json", {of("random-model " + path("shapes.yaml") + " -o " + path("r.gguf"))});
  expect("bitgrid inspect --json", {of("inspect " + kBitnet), of("inspect " + path("r.gguf")), of("inspect " + model_),
                                    of("inspect " + path("imported/model.yaml"))});
}

TEST_F(JsonSchema, Networks) {
  test::GraphMaker not_converted({-1, 4});
  not_converted.node("Sigmoid", {});
  write_file(path("n.onnx"), test::onnx_bytes(test::small_dense_graph(1)));
  write_file(path("conv.onnx"), test::onnx_bytes(test::small_conv_graph(1)));
  write_file(path("bad.onnx"), test::onnx_bytes(not_converted.finished()));
  write_file(path("x.npy"), frontend::npy_bytes({2, 12}, std::vector<int64_t>(24, 1)));
  expect("bitgrid run NETWORK.onnx --json", {of("run " + path("n.onnx") + " --input " + path("x.npy"))});
  OutputFile arrays(path("x.npz"));
  frontend::write_npz(arrays, {{"scores", {2, 4}, std::vector<int64_t>(8, 100000)}});
  expect("bitgrid check --against --json",
         {of("check " + path("n.onnx") + " --input " + path("x.npy") + " --against " + path("x.npz"), 1)});
  expect("bitgrid check NETWORK.onnx --json", {of("check " + path("n.onnx") + " --engines cpu,dag")});
  expect("bitgrid inspect NETWORK.onnx --json",
         {of("inspect " + path("n.onnx")), of("inspect " + path("conv.onnx")), of("inspect " + path("bad.onnx"))});
}

TEST_F(JsonSchema, Platform) {
  if (!platform::platform_available()) GTEST_SKIP() << "built without SystemC: no platform";
  expect("bitgrid run --engine systemc --json",
         {of("run " + model_ + " --prompt a --tokens 2 --engine systemc --trace " + path("trace.json"))});
  expect("run --trace FILE", {file("trace.json")});
}

TEST_F(JsonSchema, Check) {
  compiled(model_, "a");
  std::string grid = read_file(path("a/kernels/head.bgbs"));
  for (size_t i = 24; i < grid.size(); ++i) grid[i] = static_cast<char>(~grid[i]);
  write_file(path("a/kernels/head.bgbs"), grid);
  expect("bitgrid check --json", {of("check " + model_ + " --tokens 2"), of("check " + model_ + " --tokens 2 --from " + path("a"), 1)});
}

TEST_F(JsonSchema, Prove) {
  if (!is_installed("yosys") || !is_installed("berkeley-abc")) GTEST_SKIP() << "yosys or berkeley-abc is not installed: nothing is proved";
  expect("bitgrid check --prove --json", {of("check " + path("k.dag") + " --prove")});
}

TEST_F(JsonSchema, Simulate) {
  const std::string folder = compiled(path("k.dag"), "a", "--mode settle"), grid = folder + "/kernels/k.bgbs";
  write_file(path("inputs"), "{\"in\": \"3f\"}\n{\"in\": \"01\"}\n");
  expect("bitgrid simulate FOLDER --json", {of("simulate " + folder + " --stimulus " + path("inputs"))});
  expect("bitgrid simulate GRID --json", {of("simulate " + grid + " --cycles 3")});
  expect("bitgrid simulate GRID --live --json", {of("simulate " + grid + " --cycles 3 --save " + path("state"))});
  expect("bitgrid-state-v1", {file("state")});
}

TEST_F(JsonSchema, Faults) {
  expect("bitgrid faults --json", {of("faults " + compiled(path("k.dag"), "a", "--mode settle"))});
}

TEST_F(JsonSchema, Verilog) {
  expect("bitgrid verilog --json",
         {of("verilog " + path("k.dag") + " -o " + path("a")), of("verilog " + path("k.dag") + " --style fabric -o " + path("b"))});
  expect("verilog.json", {file("a/verilog.json")});
}

TEST_F(JsonSchema, PictureAndReport) {
  const std::string folder = compiled(path("k.dag"), "a");
  expect("bitgrid picture --json",
         {of("picture " + folder + " -o " + path("k.svg")), of("picture " + path("k.dag") + " -o " + path("k.dot"))});
  expect("bitgrid report --json", {of("report " + folder + " -o " + path("r.html"))});
}

TEST_F(JsonSchema, Reduce) {
  EXPECT_EQ(bitgrid("reduce " + path("k.dag") + " -o " + path("small.dag") + " --json " + path("r") + " --match popcount -- cat {}").status,
            0);
  expect("bitgrid reduce --json", {file("r")});
}

TEST_F(JsonSchema, Synthesis) {
  if (!is_installed("yosys")) GTEST_SKIP() << "yosys is not installed: nothing is synthesized";
  expect("bitgrid report --synth --json", {of("report --synth " + path("k.dag") + " --side 1 --no-place")});
}

TEST_F(JsonSchema, Estimate) {
  const std::string shapes = std::string(BITGRID_SOURCE_DIR) + "/examples/shapes/bonsai-1.7b.yaml";
  write_file(path("n.onnx"), test::onnx_bytes(test::small_dense_graph(1)));
  expect("bitgrid estimate --json", {of("estimate " + model_), of("estimate " + shapes), of("estimate " + path("n.onnx"))});
}

TEST_F(JsonSchema, Sweep) {
  write_file(path("sweep.yaml"), "model: " + model_ + "\nparameters: {tile_width: [0, 1], optimize: [area]}\n");
  expect("bitgrid sweep --json", {of("sweep " + path("sweep.yaml") + " -o " + path("out"))});
  expect("sweep.json", {file("out/sweep.json")});
  expect("points/N.json", {file("out/points/0.json"), file("out/points/1.json")});
}

TEST_F(JsonSchema, Grid) {
  GridConfig grid(2, 1);
  grid.cells[1] = 0x1234;
  expect("lutgrid-v1", {json::parse(frontend::print_lutgrid(grid))});
}

/// A section without a test would be a promise that nobody holds.
TEST(JsonSchemaPage, EverySectionIsTested) {
  const std::string tests = read_file(std::string(BITGRID_SOURCE_DIR) + "/tests/cli/json_test.cc");
  for (const auto& [title, section] : read_schema()) EXPECT_THAT(tests, HasSubstr("expect(\"" + title + "\"")) << title;
  EXPECT_GE(read_schema().size(), 18U);
}

TEST(JsonSchemaPage, TheCheckerObjects) {
  const Section section = {{"a", "integer", "always"},
                           {"l", "array", "always"},
                           {"l[].b", "string or null", "always"},
                           {"m", "object", "rarely"},
                           {"m.*", "number", "always"}};
  const auto complaints = [&](const char* text) {
    Checker checker(section);
    checker.check(json::parse(text));
    return checker.result();
  };
  EXPECT_EQ(complaints(R"({"a": 1, "l": [{"b": null}, {"b": "x"}], "m": {"any": 1, "other": 0.5}})"), "");
  EXPECT_THAT(complaints(R"({"a": 1, "l": [{"b": "x"}], "m": {"any": "1"}})"), HasSubstr("`m.any` is string, not number"));
  EXPECT_THAT(complaints(R"({"a": 1, "l": [{"b": "x"}, {}]})"), HasSubstr("`l[].b` is missing"));
  EXPECT_THAT(complaints(R"({"a": 0.5, "l": []})"), HasSubstr("`a` is number, not integer"));
  EXPECT_THAT(complaints(R"({"a": 1, "l": []})"), HasSubstr("`l[].b` never occurs"));
  EXPECT_THAT(complaints(R"({"a": 1, "l": [], "c": 2})"), HasSubstr("`c` is not documented"));
}

}  // namespace
}  // namespace bitgrid
