#include "ir/mapped_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "frontend/compiled/mapped_kernel_io.h"
#include "ir/error.h"
#include "ir/file.h"
#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::frontend {
namespace {

using testing::HasSubstr;

/// One cell: bit 0 from the north, bit 1 held for two cycles from the west, bit 2 resident in cell (1, 0), a constant from the south.
MappedKernel small_kernel() {
  MappedKernel k;
  k.name = "small \"k\"";
  k.strategy = "netlist";
  k.grid = GridConfig(2, 1);
  k.grid.at(0, 0) = cell_word({0, 0x1234, 0, kFromN});
  k.input_bits = 3;
  k.output_bits = 1;
  k.inputs = {{0, {Side::N, 0, 0}, 1}, {1, {Side::W, 0, -2}, 2}};
  k.outputs = {{Side::E, 0, 1}};
  k.constants = {{{Side::S, 0, 0}, {0, 1, 1}}};
  k.residents = {{2, 1, 0, 0, cell_word({0, kFromW, 0, 0})}};
  k.ii = 3;
  k.lead_cycles = 4;
  k.resting_ones = {1};
  return k;
}

std::string objection(const std::function<void(MappedKernel&)>& damage) {
  MappedKernel k = small_kernel();
  damage(k);
  return test::error_of([&] { verify(k); });
}

TEST(MappedKernel, GoodKernelPasses) {
  EXPECT_NO_THROW(verify(small_kernel()));
}

TEST(MappedKernel, LatencyCountsFromTheFirstInputToTheLastOutput) {
  EXPECT_EQ(latency_cycles(small_kernel()), 2);
}

TEST(MappedKernel, VerifierNamesKernelSlotAndCure) {
  EXPECT_EQ(objection([](auto& k) { k.inputs[0].slot.phase = 1; }),
            "kernel 'small \"k\"', input slot 0 (bit 0, N0 at phase 1): N0 at phase 1: cell (0, 0) latches in even phases only; move the "
            "slot by one phase");
}

TEST(MappedKernel, VerifierObjects) {
  EXPECT_THAT(objection([](auto& k) { k.resting_ones = {2}; }), HasSubstr("resting bit 2: no port carries it"));
  EXPECT_THAT(objection([](auto& k) { k.inputs[0].slot.position = 2; }), HasSubstr("there is no port N2 on a 2 x 1 grid"));
  EXPECT_THAT(objection([](auto& k) { k.outputs[0].position = -1; }), HasSubstr("output bit 0 (E-1 at phase 1): there is no port"));
  EXPECT_THAT(objection([](auto& k) { k.outputs[0].phase = 2; }), HasSubstr("cell (1, 0) latches in odd phases only"));
  EXPECT_THAT(objection([](auto& k) { k.inputs[0].bit = 3; }), HasSubstr("the kernel has 3 input bits"));
  EXPECT_THAT(objection([](auto& k) { k.inputs[1].hold = 4; }), HasSubstr("held for 4 cycles, ii is 3"));
  EXPECT_THAT(objection([](auto& k) { k.inputs[1].hold = 0; }), HasSubstr("held for 0 cycles"));
  EXPECT_THAT(objection([](auto& k) { k.outputs.push_back({Side::N, 0, 0}); }), HasSubstr("2 output slots for 1 output bits"));
  EXPECT_THAT(objection([](auto& k) { k.constants[0].bits.pop_back(); }), HasSubstr("constant stream 0 (S0 at phase 0): 2 bits, ii is 3"));
  EXPECT_THAT(objection([](auto& k) { k.constants[0].bits[1] = 2; }), HasSubstr("a bit is neither 0 nor 1"));
  EXPECT_THAT(objection([](auto& k) { k.residents[0].x = 2; }), HasSubstr("resident slot 0 (bit 2, cell (2, 0)): the cell is outside"));
  EXPECT_THAT(objection([](auto& k) { k.residents[0].bit = 9; }), HasSubstr("the kernel has 3 input bits"));
  EXPECT_THAT(objection([](auto& k) { k.residents.push_back(k.residents[0]); }), HasSubstr("both own cell (1, 0)"));
  EXPECT_THAT(objection([](auto& k) { k.inputs.pop_back(); }), HasSubstr("input bit 1: it enters nowhere"));
  EXPECT_THAT(objection([](auto& k) { k.ii = 0; }), HasSubstr("ii is 0"));
  EXPECT_THAT(objection([](auto& k) { k.lead_cycles = -1; }), HasSubstr("lead_cycles is -1"));
  EXPECT_THAT(objection([](auto& k) { k.grid.cells.pop_back(); }), HasSubstr("1 cells do not make a 2 x 1 grid"));
}

TEST(MappedKernel, TwoDriversOfOnePortMeetModuloIi) {
  // The west port is driven in cycles -1 and 0, that is 2 and 0 of 3: cycle 1 is free.
  const auto second_driver = [](int phase, int hold) {
    return objection([&](MappedKernel& k) { k.inputs.push_back({0, {Side::W, 0, phase}, hold}); });
  };
  EXPECT_EQ(second_driver(2, 1), "no error");
  EXPECT_EQ(second_driver(8, 1), "no error");
  EXPECT_THAT(second_driver(0, 1), HasSubstr("driven at the same time by input slot 1"));
  EXPECT_THAT(second_driver(4, 1), HasSubstr("driven at the same time by"));
  EXPECT_THAT(second_driver(2, 2), HasSubstr("driven at the same time by"));
  EXPECT_THAT(objection([](MappedKernel& k) {
                k.inputs.push_back({0, {Side::S, 0, 2}, 1});
              }),
              HasSubstr("driven at the same time by constant stream 0"));
}

class KernelFiles : public testing::Test {
 protected:
  std::string stem() const { return folder_.file("kernel"); }
  const test::ScratchFolder folder_;
};

TEST_F(KernelFiles, RoundTripIsExactAndDeterministic) {
  write_mapped_kernel(small_kernel(), stem());
  const std::string first = read_file(stem() + ".json");
  const MappedKernelFile read = read_mapped_kernel(stem());
  EXPECT_EQ(read.kernel, small_kernel());
  write_mapped_kernel(read.kernel, stem());
  EXPECT_EQ(read_file(stem() + ".json"), first);
}

TEST_F(KernelFiles, OneSlotALine) {
  EXPECT_THAT(print_mapped_kernel(small_kernel()),
              HasSubstr("\"inputs\": [\n[0,\"N\",0,0,1],\n[1,\"W\",0,-2,2]],\n\"outputs\": [\n[\"E\",0,1]],\n"
                        "\"constants\": [\n[\"S\",0,0,\"011\"]],\n"));
}

TEST_F(KernelFiles, ChangedCellsAreReported) {
  write_mapped_kernel(small_kernel(), stem());
  std::string bytes = read_file(stem() + ".bgbs");
  bytes[26] = static_cast<char>(bytes[26] ^ 1);
  write_file(stem() + ".bgbs", bytes);
  EXPECT_THROW(read_mapped_kernel(stem()), Error);
  const MappedKernelFile read = read_mapped_kernel(stem(), BgbsCheck::kReport);
  EXPECT_FALSE(read.crc_ok);
  EXPECT_NE(read.kernel.grid, small_kernel().grid);
}

TEST_F(KernelFiles, MessagesNameTheEntry) {
  const auto with = [](const std::string& from, const std::string& to) -> std::string {
    std::string text = print_mapped_kernel(small_kernel());
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return test::error_of([&] { parse_mapped_kernel(text.replace(at, from.size(), to), "k.json"); });
  };
  EXPECT_EQ(with("[1,\"W\",0,-2,2]", "[1,\"X\",0,-2,2]"), "k.json: inputs[1][1]: is not a side; write \"N\", \"E\", \"S\" or \"W\"");
  EXPECT_THAT(with("[1,\"W\",0,-2,2]", "[1,\"W\",0,-2]"),
              HasSubstr("inputs[1]: is not a list of 5; write [bit, side, position, phase, hold]"));
  EXPECT_THAT(with("\"ii\": 3", "\"ii\": 3.5"), HasSubstr("k.json: ii: this is not an integer from "));
  EXPECT_THAT(with("\"ii\": 3,\n", ""), HasSubstr("key \"ii\" is missing"));
  EXPECT_THAT(with("\"011\"", "\"012\""), HasSubstr("constants[0][3]: has a bit that is neither 0 nor 1"));
  EXPECT_THAT(with("0000000000000000", "00000000"), HasSubstr("residents[0][3]: is not a configuration word"));
  EXPECT_THAT(with("kernel-v1", "kernel-v2"), HasSubstr("format: is not \"bitgrid-kernel-v1\""));
}

TEST_F(KernelFiles, FilesOfTwoKernelsAreRefused) {
  write_mapped_kernel(small_kernel(), stem());
  write_file(stem() + ".bgbs", print_bgbs(GridConfig(3, 1)));
  EXPECT_THROW(read_mapped_kernel(stem()), Error);
}

TEST_F(KernelFiles, FuzzedFilesNeverCrash) {
  const std::string good = print_mapped_kernel(small_kernel());
  std::mt19937 random(5);
  size_t refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text = good;
    if (random() % 3 == 0) text.resize(random() % (text.size() + 1));
    for (auto flips = random() % 4; flips > 0 && !text.empty(); --flips) {
      char& c = text[random() % text.size()];
      c = random() % 2 ? "0123456789-[]{},\"NESW"[random() % 21] : static_cast<char>(random());
    }
    try {
      verify(parse_mapped_kernel(text, "k"));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace bitgrid::frontend
