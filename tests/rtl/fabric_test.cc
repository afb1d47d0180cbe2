#include "rtl/fabric.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitgrid_sim/scalar.h"
#include "ir/dag.h"
#include "ir/error.h"
#include "ir/file.h"
#include "rtl/command.h"
#include "rtl/fabric_grid.h"
#include "rtl/fabric_kernel.h"
#include "rtl/fabric_testbench.h"
#include "tests/rtl/rtl_support.h"
#include "tests/support/errors.h"
#include "tests/support/plane.h"
#include "tests/support/random_grid.h"

namespace bitgrid::rtl {
namespace {

namespace fs = std::filesystem;
using test::random_grid;
using testing::HasSubstr;

bool runs(const std::string& program, const std::string& option) {
  return run_command({program, option}, "/dev/null") != 127;
}

#define NEEDS(program, option) \
  if (!runs(program, option)) GTEST_SKIP() << program << " is not installed (scripts/install-dependencies --test)"

std::shared_ptr<const RtlModel> build(const FabricShape& shape, const FabricForm& form = {}) {
  return build_rtl({fabric_source(shape, form)}, test_params())[0];
}

/// Phases with random border bits; the first in which a border output differs from the scalar simulator's, or -1.
int first_difference(FabricGrid& fabric, sim::ScalarGrid& grid, int first_phase, int phases, std::mt19937_64& random) {
  for (int phase = first_phase; phase < first_phase + phases; ++phase) {
    for (const Side side : kSides) {
      for (int p = 0; p < sim::ports_of(side, grid.width(), grid.height()); ++p) {
        const bool bit = random() & 1;
        if (bit) grid.drive(grid.input_port(side, p));
        fabric.drive(side, p, bit);
      }
    }
    grid.step(phase);
    fabric.step();
    for (const Side side : kSides) {
      for (int p = 0; p < sim::ports_of(side, grid.width(), grid.height()); ++p) {
        if (grid.sample(grid.output_port(side, p)) != fabric.sample(side, p)) return phase;
      }
    }
  }
  return -1;
}

struct Form {
  const char* name;
  FabricForm form;
  friend void PrintTo(const Form& f, std::ostream* out) { *out << f.name; }
};

class FabricForms : public testing::TestWithParam<Form> {
 protected:
  void SetUp() override { NEEDS("verilator", "--version"); }
};

TEST_P(FabricForms, RunsRandomGridsAsTheSimulatorDoes) {
  std::mt19937_64 random(1);
  for (const FabricShape& shape : {FabricShape{5, 4, 1}, FabricShape{4, 5, 64}, FabricShape{1, 1, 8}}) {
    const GridConfig config = random_grid(shape.width, shape.height, random);
    FabricGrid fabric(build(shape, GetParam().form), shape);
    fabric.load(config);
    sim::ScalarGrid grid(config);
    EXPECT_EQ(first_difference(fabric, grid, 0, 200, random), -1) << shape.width << " x " << shape.height;
  }
}

TEST_P(FabricForms, ColumnsAreLoadedOnTheirOwnAndOutputsStay) {
  std::mt19937_64 random(2);
  const FabricShape shape{5, 4, 1};
  GridConfig config = random_grid(5, 4, random);
  FabricGrid fabric(build(shape, GetParam().form), shape);
  fabric.load(config);
  sim::ScalarGrid grid(config);
  ASSERT_EQ(first_difference(fabric, grid, 0, 21, random), -1);
  for (int y = 0; y < 4; ++y) {
    for (const int x : {1, 4}) grid.set_cell(x, y, config.at(x, y) = random());
  }
  fabric.load(config, {1, 4});
  EXPECT_EQ(first_difference(fabric, grid, 21, 50, random), -1);
  EXPECT_EQ(fabric.stats().loaded_columns, 7u);
  EXPECT_EQ(fabric.stats().configuration_clocks, 2u * (64 * 4 + 1));
}

TEST_P(FabricForms, ACorruptedConfigurationBitIsSeen) {
  std::mt19937_64 random(3);
  const FabricShape shape{5, 4, 1};
  const auto model = build(shape, GetParam().form);
  const GridConfig config = random_grid(5, 4, random);
  for (int round = 0; round < 10; ++round) {
    GridConfig damaged = config;
    const int x = static_cast<int>(random() % 5), y = static_cast<int>(random() % 2) * 3;  // a cell at the border: its outputs are seen
    const unsigned side = y == 0 ? 0 : 2;
    damaged.at(x, y) ^= uint64_t{1} << (4 * (random() % 16) + side);
    FabricGrid fabric(model, shape);
    fabric.load(damaged);
    sim::ScalarGrid grid(config);
    EXPECT_NE(first_difference(fabric, grid, 0, 1000, random), -1) << x << ", " << y;
  }
}

INSTANTIATE_TEST_SUITE_P(All, FabricForms, testing::Values(Form{"vector", {}}, Form{"cells", {true, false}}, Form{"latches", {true, true}}),
                         testing::PrintToStringParamName());

TEST(Fabric, ChainsAreReadBack) {
  NEEDS("verilator", "--version");
  std::mt19937_64 random(4);
  const FabricShape shape{5, 4, 1};
  const GridConfig config = random_grid(5, 4, random);
  FabricGrid fabric(build(shape), shape);
  fabric.load(config);
  EXPECT_EQ(fabric.read_back(), config);
  EXPECT_EQ(fabric.read_back(), config);
}

TEST(Fabric, RunsAPlane) {
  NEEDS("verilator", "--version");
  const Dag dag = parse_dag("dag adder\ninput a 3\ninput b 3\nt:4 = add a b\noutput s t\n");
  const MappedKernel mapped = mapping::map_plane(dag);
  FabricKernel kernel(mapped, build(fabric_shape(mapped)));
  BitMatrix inputs(64, 6);
  for (size_t r = 0; r < 64; ++r) inputs.set_word(r, 0, 6, r);
  EXPECT_EQ(kernel.run(inputs), evaluate(dag, inputs));
  EXPECT_EQ(kernel.run(inputs), evaluate(dag, inputs));
}

/// out = what entered a cycle before phase 0: what the input rests at, then the invocation before.
MappedKernel resting() {
  MappedKernel k;
  k.name = "resting";
  k.grid = GridConfig(2, 1);
  k.grid.at(0, 0) = k.grid.at(1, 0) = cell_word({0, kFromW, 0, 0});
  k.input_bits = k.output_bits = 1;
  k.inputs = {{0, {Side::W, 0, 0}, 1}};
  k.outputs = {{Side::E, 0, -1}};
  k.resting_ones = {0};
  return k;
}

BitMatrix one_first(size_t rows) {
  BitMatrix bits(rows, 1);
  bits.set(0, 0, true);
  return bits;
}

TEST(Fabric, InputsRestAtOnes) {
  NEEDS("verilator", "--version");
  FabricKernel kernel(resting(), build(fabric_shape(resting())));
  EXPECT_EQ(kernel.run(BitMatrix(3, 1)), one_first(3));
}

TEST(Fabric, ResidentBitsAreLoadedThroughTheChain) {
  NEEDS("verilator", "--version");
  MappedKernel k;
  k.name = "resident";
  k.grid = GridConfig(5, 4);
  const CellWord copy = cell_word({0, kFromW, 0, 0}), invert = cell_word({0, static_cast<Lut>(~kFromW), 0, 0});
  for (int x = 0; x < 5; ++x) k.grid.at(x, 0) = copy;
  k.input_bits = 2;
  k.output_bits = 1;
  k.inputs = {{0, {Side::W, 0, 0}, 1}};
  k.residents = {{1, 2, 0, copy, invert}};
  k.outputs = {{Side::E, 0, 4}};
  FabricKernel kernel(k, build(fabric_shape(k)));
  std::mt19937_64 random(5);
  BitMatrix inputs(40, 2), expected(40, 1);
  for (size_t r = 0; r < 40; ++r) {
    inputs.set(r, 0, random() & 1);
    inputs.set(r, 1, (r / 7) & 1);
    expected.set(r, 0, inputs.get(r, 0) != inputs.get(r, 1));
  }
  EXPECT_EQ(kernel.run(inputs), expected);
  EXPECT_EQ(kernel.stats().reconfigurations, 5u);
  EXPECT_EQ(kernel.stats().reconfigured_cells, 5u);
}

TEST(Fabric, ShapesAreChecked) {
  EXPECT_EQ(test::error_of([&] {
              fabric_source({4, 4, 12});
            }),
            "fabric: a chain of 12 bits does not divide a word of 64; give 1, 2, 4, 8, 16, 32 or 64 bits");
  EXPECT_THROW(fabric_source({0, 4, 1}), Error);
}

class Folder {
 public:
  Folder() {
    std::string name = (fs::path(testing::TempDir()) / "bitgrid_fabric_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw Error(name, "no temporary folder");
    path_ = name;
    for (const VerilogFile& f : fabric_files(true)) write_file(file(f.name), f.text);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

class FabricLint : public testing::TestWithParam<std::string> {};

TEST_P(FabricLint, EveryToolIsSilent) {
  const Folder folder;
  const std::string top = GetParam();
  std::vector<std::string> files;
  for (const VerilogFile& f : fabric_files(true)) files.push_back(folder.file(f.name));
  const auto silent = [&](std::vector<std::string> command) {
    const std::string log = folder.file("log");
    fs::remove(log);
    EXPECT_EQ(run_command(command, log), 0);
    EXPECT_EQ(read_file(log), "") << command[0];
  };
  const std::string module = top.substr(0, top.find(' '));
  const bool latches = top != module;
  if (runs("verilator", "--version")) {
    for (const auto& [w, h, c] : {std::tuple{5, 4, 4}, {1, 1, 1}, {2, 1, 64}, {6, 7, 1}}) {
      std::vector<std::string> command = {"verilator",
                                          "--lint-only",
                                          "-Wall",
                                          "--top-module",
                                          module,
                                          fmt::format("-GW={}", w),
                                          fmt::format("-GH={}", h),
                                          fmt::format("-GC={}", c)};
      if (latches) command.push_back("-GLATCHES=1");
      command.insert(command.end(), files.begin(), files.end());
      silent(command);
    }
  }
  if (runs("iverilog", "-V")) {
    std::vector<std::string> command = {"iverilog", "-g2005", "-Wall", "-o", "/dev/null", "-s", module};
    if (latches) command.push_back("-P" + module + ".LATCHES=1");
    command.insert(command.end(), files.begin(), files.end());
    silent(command);
  }
  if (runs("yosys", "-V") && module == "bitgrid_grid") {  // the vector form is for simulators
    std::string script;
    for (const std::string& f : files) script += f.find("vector") == std::string::npos ? "read_verilog " + f + "; " : "";
    script +=
        fmt::format("hierarchy -check -top {} -chparam W 5 -chparam H 4 -chparam LATCHES {}; proc; check -assert", module, latches ? 1 : 0);
    silent({"yosys", "-q", "-p", script});
  }
}

INSTANTIATE_TEST_SUITE_P(All, FabricLint, testing::Values("bitgrid_grid", "bitgrid_grid latches", "bitgrid_grid_vector"),
                         [](const auto& p) {
                           std::string name = p.param;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

/// Whether ABC proves the two forms of the grid equal from all registers 0, in every clock, for all inputs: its log.
std::string sequential_equivalence(const Folder& folder, int w, int h, int c) {
  for (const std::string module : {"bitgrid_grid", "bitgrid_grid_vector"}) {
    const std::string script = fmt::format(
        "read_verilog {}; hierarchy -check -top {} -chparam W {} -chparam H {} -chparam C {}; proc; flatten; memory_map; opt -full; "
        "techmap; opt; dfflegalize -cell $_DFF_P_ 0; opt_expr; opt_merge; opt_clean; abc -g AND,XOR; setundef -zero -init; opt_clean; "
        "write_blif {}",
        folder.file("*.v"), module, w, h, c, folder.file(module + ".blif"));
    EXPECT_EQ(run_command({"yosys", "-q", "-p", script}, folder.file("yosys.log")), 0) << read_file(folder.file("yosys.log"));
  }
  const std::string log = folder.file(fmt::format("dsec_{}_{}_{}", w, h, c));
  run_command({"berkeley-abc", "-c", fmt::format("dsec {} {}", folder.file("bitgrid_grid.blif"), folder.file("bitgrid_grid_vector.blif"))},
              log);
  return read_file(log);
}

TEST(FabricProof, TheVectorFormIsTheGridOfCells) {
  NEEDS("yosys", "-V");
  NEEDS("berkeley-abc", "-h");
  const Folder folder;
  EXPECT_THAT(sequential_equivalence(folder, 3, 3, 8), HasSubstr("Networks are equivalent"));
  EXPECT_THAT(sequential_equivalence(folder, 2, 4, 64), HasSubstr("Networks are equivalent"));
}

/// What a testbench of the adder prints under Icarus.
std::string run_testbench(const Folder& folder, const std::vector<std::string>& options) {
  std::vector<std::string> command = {"iverilog",        "-g2005", "-Wall",      "-o",
                                      folder.file("tb"), "-s",     "bitgrid_tb", folder.file("adder_tb.v")};
  for (const VerilogFile& f : fabric_files(true)) command.push_back(folder.file(f.name));
  command.insert(command.end(), options.begin(), options.end());
  const std::string log = folder.file("log");
  fs::remove(log);
  EXPECT_EQ(run_command(command, log), 0);
  run_command({"sh", "-c", "cd \"$(dirname \"$0\")\" && vvp tb", folder.file("tb")}, log);
  return read_file(log);
}

TEST(FabricTestbench, PassesInIcarusAndFailsWithACorruptedBit) {
  NEEDS("iverilog", "-V");
  const Folder folder;
  const Dag dag = parse_dag("dag adder\ninput a 2\ninput b 2\nt:3 = add a b\noutput s t\n");
  const MappedKernel mapped = mapping::map_plane(dag);
  BitMatrix inputs(16, 4);
  for (size_t r = 0; r < 16; ++r) inputs.set_word(r, 0, 4, r);
  FabricTestbenchStats stats;
  for (const VerilogFile& f : fabric_testbench(mapped, "adder", inputs, evaluate(dag, inputs), &stats))
    write_file(folder.file(f.name), f.text);
  EXPECT_EQ(stats.compared, 48u);
  EXPECT_THAT(run_testbench(folder, {}), HasSubstr("PASS: 48 output bits of 16 invocations"));
  EXPECT_THAT(run_testbench(folder, {"-DVECTOR"}), HasSubstr("PASS: 48 output bits of 16 invocations"));
  MappedKernel damaged = mapped;
  const BitSlot out = mapped.outputs[0];
  const sim::CellPosition at = sim::border_cell(out.side, out.position, mapped.grid.width, mapped.grid.height);
  damaged.grid.at(at.x, at.y) ^= uint64_t{0x1111111111111111} << static_cast<unsigned>(out.side);
  write_file(folder.file("adder_chain.hex"), chain_hex(damaged.grid, {mapped.grid.width, mapped.grid.height, 1}));
  EXPECT_THAT(run_testbench(folder, {"-DVECTOR"}), HasSubstr("FAIL: phase "));
}

TEST(FabricTestbench, InputsRestAtOnes) {
  NEEDS("iverilog", "-V");
  const Folder folder;
  for (const VerilogFile& f : fabric_testbench(resting(), "adder", BitMatrix(3, 1), one_first(3))) write_file(folder.file(f.name), f.text);
  EXPECT_THAT(run_testbench(folder, {}), HasSubstr("PASS: 3 output bits"));
}

TEST(FabricProof, ADifferenceIsFound) {
  NEEDS("yosys", "-V");
  NEEDS("berkeley-abc", "-h");
  const Folder folder;
  std::string text = read_file(folder.file("bitgrid_grid_vector.v"));
  const size_t at = text.find("(to_e & colour)");
  ASSERT_NE(at, std::string::npos);
  write_file(folder.file("bitgrid_grid_vector.v"), text.replace(at, 15, "(to_s & colour)"));
  EXPECT_THAT(sequential_equivalence(folder, 3, 3, 64), HasSubstr("NOT EQUIVALENT"));
}

}  // namespace
}  // namespace bitgrid::rtl
