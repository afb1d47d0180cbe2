// The chip of examples/tinytapeout, from a kernel to its pins.
#include <stdlib.h>

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/dag.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/mapping/netlist/map_netlist.h"
#include "rtl/command.h"
#include "rtl/fabric_testbench.h"

namespace bitgrid::rtl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TinyTapeout : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (run_command({"iverilog", "-V"}, "/dev/null") == 127)
      GTEST_SKIP() << "iverilog is not installed (scripts/install-dependencies --test)";
    std::string name = (fs::path(testing::TempDir()) / "bitgrid_chip_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  fs::path folder_;
};

TEST_P(TinyTapeout, RunsTheNeuronAndNoticesACorruptedBit) {
  const std::string example = std::string(BITGRID_SOURCE_DIR) + "/examples/tinytapeout/";
  const Dag dag = parse_dag(read_file(example + "neuron.dag"));
  const MappedKernel mapped = mapping::map_netlist(dag);
  ASSERT_EQ(mapped.grid.width, 3);
  ASSERT_EQ(mapped.grid.height, 3);
  BitMatrix inputs(16, 4);
  for (size_t r = 0; r < 16; ++r) inputs.set_word(r, 0, 4, r);
  FabricTestbenchStats stats;
  for (const VerilogFile& f : fabric_testbench(mapped, "neuron", inputs, evaluate(dag, inputs), &stats)) write_file(file(f.name), f.text);
  std::vector<std::string> command = {"iverilog",
                                      "-g2005",
                                      "-Wall",
                                      fmt::format("-Ptestbench.LATCHES={}", GetParam()),
                                      "-s",
                                      "testbench",
                                      "-o",
                                      file("chip"),
                                      example + "testbench.v",
                                      example + "tt_um_bitgrid.v"};
  for (const VerilogFile& f : fabric_files(false)) {
    write_file(file(f.name), f.text);
    command.push_back(file(f.name));
  }
  ASSERT_EQ(run_command(command, file("log")), 0) << read_file(file("log"));
  const auto run = [&] {
    fs::remove(file("log"));
    const std::string script = fmt::format("cd {} && vvp chip +stem=neuron +phases={}", folder_.string(), stats.phases);
    run_command({"sh", "-c", script}, file("log"));
    return read_file(file("log"));
  };
  EXPECT_THAT(run(), HasSubstr("PASS: "));
  MappedKernel damaged = mapped;
  const BitSlot out = mapped.outputs[0];
  for (int x = 0; x < 3; ++x) {
    for (int y = 0; y < 3; ++y) damaged.grid.at(x, y) ^= uint64_t{0x1111111111111111} << static_cast<unsigned>(out.side);
  }
  write_file(file("neuron_chain.hex"), chain_hex(damaged.grid, {3, 3, 1}));
  EXPECT_THAT(run(), HasSubstr("FAIL: phase "));
}

INSTANTIATE_TEST_SUITE_P(Words, TinyTapeout, testing::Values(0, 1),
                         [](const auto& p) { return std::string(p.param == 0 ? "FlipFlops" : "Latches"); });

}  // namespace
}  // namespace bitgrid::rtl
