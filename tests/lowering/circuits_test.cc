// Netlists through every way of mapping, against a truth that was computed in Python.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <ostream>

#include "frontend/blif.h"
#include "ir/file.h"
#include "lowering/mapping/map.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "tests/lowering/netlist_support.h"
#include "tests/lowering/truth_file.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::mapping {
namespace {

namespace fs = std::filesystem;

const std::string kSource = BITGRID_SOURCE_DIR;
const std::string kFolder = kSource + "/tests/circuits/";

struct Circuit {
  std::string name, automatic, wave, settle;  // the strategies of the three modes
  friend void PrintTo(const Circuit& c, std::ostream* out) { *out << c.name; }
};

const Circuit kCircuits[] = {
    {"adder6", "ripple", "ripple", "ripple"},
    {"alu4", "folded-plane", "row-layout", "folded-plane"},
    {"compare6", "row-layout", "row-layout", "folded-plane"},
    {"control24", "netlist", "row-layout", "netlist"},
    {"count12", "counter", "counter", "counter"},
    {"crc8", "netlist", "row-layout", "netlist"},
    {"decode5", "plane", "plane", "folded-plane"},
    {"max4x8", "netlist", "row-layout", "netlist"},
    {"mult6", "multiplier", "multiplier", "multiplier"},
    {"prefix16", "ripple", "ripple", "ripple"},
    {"priority12", "plane", "plane", "folded-plane"},
    {"shift16", "netlist", "row-layout", "netlist"},
    {"sine8", "plane", "plane", "folded-plane"},
    {"sqrt10", "plane", "plane", "folded-plane"},
    {"vote11", "row-layout", "row-layout", "netlist"},
};

class Circuits : public testing::TestWithParam<Circuit> {
 protected:
  void expect_exact(MapMode mode, const std::string& strategy) const {
    MapParams params;
    params.mode = mode;
    params.effort = Effort::kFast;
    const MappedKernel mapped = map_kernel(synthesis::kernel_of(dag_), params);
    EXPECT_EQ(mapped.strategy, strategy);
    EXPECT_EQ(run_kernel(mapped, truth_.inputs), truth_.outputs);
  }

  const Dag dag_ = synthesis::dag_from_cover(frontend::read_blif(kFolder + GetParam().name + ".blif"));
  const test::Truth truth_ = test::parse_truth(read_file(kFolder + GetParam().name + ".truth"));
};

TEST_P(Circuits, AreReadAsTheTruthSays) {
  EXPECT_EQ(evaluate(dag_, truth_.inputs), truth_.outputs);
}

TEST_P(Circuits, AutoModeComputesTheTruth) {
  expect_exact(MapMode::kAuto, GetParam().automatic);
}

TEST_P(Circuits, WaveModeComputesTheTruth) {
  expect_exact(MapMode::kWave, GetParam().wave);
}

TEST_P(Circuits, SettleModeComputesTheTruth) {
  expect_exact(MapMode::kSettle, GetParam().settle);
}

INSTANTIATE_TEST_SUITE_P(Made, Circuits, testing::ValuesIn(kCircuits), testing::PrintToStringParamName());

/// Every output bit of a row, in every tenth row: one changed bit of the truth is enough.
TEST(CircuitTruth, OneWrongBitIsNoticed) {
  const MappedKernel mapped = map_kernel(synthesis::kernel_of(synthesis::dag_from_cover(frontend::read_blif(kFolder + "vote11.blif"))), {});
  const test::Truth truth = test::parse_truth(read_file(kFolder + "vote11.truth"));
  const BitMatrix got = run_kernel(mapped, truth.inputs);
  ASSERT_EQ(got, truth.outputs);
  for (size_t row = 0; row < got.rows; row += 10) {
    for (size_t bit = 0; bit < got.cols; ++bit) {
      BitMatrix wrong = truth.outputs;
      wrong.set(row, bit, !wrong.get(row, bit));
      ASSERT_NE(got, wrong) << row << " " << bit;
    }
  }
}

TEST(CircuitTruth, ADamagedFileIsRefused) {
  const auto error_of = [](const std::string& text) {
    try {
      test::parse_truth(text);
    } catch (const std::runtime_error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_of("# t\nbits 1 1\nall\n1 0\n"), "no error");
  EXPECT_EQ(error_of("# t\nbits 1 1\nall\n1\n"), "rows are missing, or there are too many");
  EXPECT_EQ(error_of("# t\nbits 1 1\nall\n2 0\n"), "`2` is not a word of 1 bits");
  EXPECT_EQ(error_of("# t\nbits 8 1\nvectors\n1g 0\n"), "`1g` is not a word of 8 bits");
  EXPECT_EQ(error_of("# t\nbits 8 1\nvectors\n1\n"), "a row has no outputs");
}

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".md") files[entry.path().filename()] = read_file(entry.path().string());
  }
  return files;
}

TEST(CircuitFiles, AreThoseThatTheScriptWrites) {
  if (std::system("python3 -c pass > /dev/null 2>&1") != 0) GTEST_SKIP() << "python3 is not installed: the circuits were not made again";
  const test::ScratchFolder made;
  ASSERT_EQ(std::system(("python3 " + kSource + "/bench/circuits.py --small " + made.path().string()).c_str()), 0);
  const auto expected = files_of(made.path()), files = files_of(kFolder);
  for (const auto& [name, text] : expected) {
    ASSERT_TRUE(files.contains(name)) << name;
    EXPECT_TRUE(files.at(name) == text) << name << " differs";
  }
  EXPECT_EQ(files.size(), expected.size());
  EXPECT_EQ(files.size(), 2 * std::size(kCircuits));
}

}  // namespace
}  // namespace bitgrid::mapping
