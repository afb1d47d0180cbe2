#include "estimate/technology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "ir/file.h"
#include "rtl/standard_cells.h"
#include "tests/support/errors.h"

namespace bitgrid::estimate {
namespace {

using testing::HasSubstr;

GateTechnology read(const std::string& text) {
  const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();  // tests run side by side
  const std::string path = (std::filesystem::path(testing::TempDir()) / ("bitgrid_technology_" + test + ".yaml")).string();
  write_file(path, text);
  return load_gate_technology(path);
}

std::string technology_error(const std::string& text) {
  return test::error_of([&] { read(text); });
}

std::string source_of(const GateTechnology& t, const std::string& constant) {
  const auto it = std::find_if(t.sources.begin(), t.sources.end(), [&](const auto& s) { return s.first == constant; });
  return it == t.sources.end() ? "absent" : it->second;
}

TEST(GateTechnology, TheFileIsInTheProgram) {
  EXPECT_EQ(load_technology(std::string(BITGRID_SOURCE_DIR) + "/arch/45nm.yaml"), load_gate_technology("").technology);
}

TEST(GateTechnology, EveryConstantOfTheDefaultHasASource) {
  const GateTechnology t = load_gate_technology("");
  EXPECT_EQ(t.sources.size(), 11u);
  for (const auto& [constant, source] : t.sources) EXPECT_NE(source, "") << constant;
}

TEST(GateTechnology, StorageOfTheWordSetsTheArea) {
  const double latches = load_gate_technology("").technology.cell_area_um2;
  const double flip_flops = read("configuration: flip_flops\n").technology.cell_area_um2;
  const double sram = read("configuration: sram\n").technology.cell_area_um2;
  EXPECT_DOUBLE_EQ(flip_flops - latches, 64 * (6.384 - 2.66));
  EXPECT_LT(sram, latches);
  EXPECT_EQ(read("configuration: sram\ncell_area_um2: 1000\n").technology.cell_area_um2, 1000);
}

TEST(GateTechnology, AConstantIsANumberOrHasASource) {
  const GateTechnology t = read("clock_mhz: 700\nupdate_fj: {value: 3, source: a paper}\n");
  EXPECT_EQ(t.technology.clock_mhz, 700);
  EXPECT_EQ(source_of(t, "clock_mhz"), "");
  EXPECT_EQ(t.technology.update_fj, 3);
  EXPECT_EQ(source_of(t, "update_fj"), "a paper");
}

TEST(GateTechnology, ClockFromLevels) {
  const GateTechnology t = read("gate_delay_ps: 25\nregister_delay_ps: 50\n");
  EXPECT_DOUBLE_EQ(clock_mhz(t, 2), 10000);
}

TEST(GateTechnology, SaysWhatIsWrong) {
  EXPECT_THAT(technology_error("configuration: rom\n"), HasSubstr(":1: configuration is 'rom'; choose among flip_flops, latches and sram"));
  EXPECT_THAT(technology_error("gate_delay_ps: {value: -1}\n"),
              HasSubstr("gate_delay_ps.value is -1, outside 1e-09 .. 1000000000000; choose a value in that range"));
  EXPECT_THAT(technology_error("name: x\nclok_mhz: 5\n"), HasSubstr(":2: "));
}

TEST(GateTechnology, AnyTextIsReadOrRefused) {
  const std::string text = read_file(std::string(BITGRID_SOURCE_DIR) + "/arch/45nm.yaml");
  for (size_t n = 0; n < text.size(); n += 7) {
    technology_error(text.substr(0, n));
    std::string flipped = text;
    flipped[n] = static_cast<char>(flipped[n] ^ (1 << (n % 7)));
    technology_error(flipped);
  }
}

TEST(StandardCells, ThoseOfTheDefaultTechnologyAreALibrary) {
  const std::string text = rtl::liberty(load_gate_technology("").standard_cells_um2);
  EXPECT_THAT(text, HasSubstr("cell(AOI21) {\n    area : 1.064;\n"));
  EXPECT_THAT(text, HasSubstr("next_state : \"D\""));
}

TEST(StandardCells, SayWhatIsMissingOrUnknown) {
  const auto message = [](const rtl::StandardCells& cells) { return test::error_of([&] { rtl::liberty(cells); }); };
  EXPECT_EQ(message({{"BUF", 1}, {"INV", 1}, {"NAND2", 1}}), "standard cells: there is no DFF; give its area");
  EXPECT_EQ(message({{"BUF", 1}, {"INV", 1}, {"NAND2", 1}, {"DFF", 1}, {"NAND9", 1}}),
            "standard cells: NAND9 is not a kind of cell; rtl/standard_cells.h lists the kinds");
}

}  // namespace
}  // namespace bitgrid::estimate
