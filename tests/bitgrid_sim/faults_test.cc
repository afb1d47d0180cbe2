#include "bitgrid_sim/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid::sim {
namespace {

using testing::HasSubstr;

std::string objection(const std::string& text) {
  return test::error_of([&] { parse_faults(text, "f.txt", 4, 3); });
}

TEST(Faults, FileRoundTrips) {
  const std::string text = "stuck0 3 2\nstuck1 0 0 E\nflip 1 2 NW 7\nconfig 2 1 63\nconfig 2 1 5 4-90\n";
  const std::vector<Fault> faults = parse_faults("# all kinds\n\n" + text, "f.txt", 4, 3);
  ASSERT_EQ(faults.size(), 5u);
  EXPECT_EQ(faults[0].outputs, 15u);
  EXPECT_EQ(faults[2].outputs, 9u);
  EXPECT_EQ(faults[4].last, 90);
  EXPECT_EQ(print_faults(faults), text);
}

TEST(Faults, MessagesNameTheLine) {
  EXPECT_EQ(objection("stuck0 1 1\nstuck2 0 0\n"), "f.txt:2: 'stuck2' is not a kind of fault; use stuck0, stuck1, flip or config");
  EXPECT_EQ(objection("flip 4 0\n"), "f.txt:1: x is '4'; use a number from 0 to 3");
  EXPECT_THAT(objection("flip 1\n"), HasSubstr("the y is missing"));
  EXPECT_THAT(objection("config 1 1 64\n"), HasSubstr("configuration bit is '64'"));
  EXPECT_THAT(objection("config 1 1\n"), HasSubstr("the configuration bit is missing"));
  EXPECT_THAT(objection("flip 1 1 NX\n"), HasSubstr("phase is 'NX'"));
  EXPECT_THAT(objection("flip 1 1 N 7-3\n"), HasSubstr("last phase is '3'; use a number from 7"));
  EXPECT_THAT(objection("flip 1 1 N 7 8\n"), HasSubstr("'8' is one word too many"));
}

TEST(Faults, FuzzedFilesNeverCrash) {
  const std::string good = "stuck0 3 2\nstuck1 0 0 E\nflip 1 2 NW 7\nconfig 2 1 5 4-90\n";
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    if (random() % 4 == 0) text.resize(random() % text.size());
    for (auto flips = random() % 4; flips > 0 && !text.empty(); --flips) text[random() % text.size()] = static_cast<char>(random());
    objection(text);
  }
}

/// A random settle-mode kernel: anything goes, what counts is that a fault changes it in the same way everywhere.
MappedKernel random_kernel(int width, int height, uint64_t seed) {
  std::mt19937_64 random(seed);
  MappedKernel k;
  k.name = "random";
  k.strategy = "netlist";
  k.grid = GridConfig(width, height);
  for (CellWord& word : k.grid.cells) word = random() % 9 ? random() : 0;
  k.ii = 3;
  k.lead_cycles = 4;
  for (int p = 0; p < height; ++p) {
    k.inputs.push_back({k.input_bits++, {Side::W, p, p & 1}, 2});
    k.outputs.push_back({Side::E, p, 6 + ((width - 1 + p) & 1)});
    k.outputs.push_back({Side::E, p, 8 + ((width - 1 + p) & 1)});
  }
  k.residents.push_back({k.input_bits++, width / 2, height / 2, random(), random()});
  k.grid.at(width / 2, height / 2) = k.residents[0].word0;
  k.constants.push_back({{Side::N, 1, 1}, {1, 0, 1}});
  k.output_bits = static_cast<uint32_t>(k.outputs.size());
  return k;
}

BitMatrix random_inputs(const MappedKernel& kernel, size_t rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  BitMatrix in(rows, kernel.input_bits);
  for (size_t r = 0; r < rows; ++r) {
    for (uint32_t b = 0; b < kernel.input_bits; ++b) in.set(r, b, random() & 1u);
    in.set(r, kernel.input_bits - 1, (r / 3) & 1);
  }
  return in;
}

/// Every fault of the campaign, alone on a scalar and a sliced grid, changes an output there exactly where the campaign says so.
TEST(FaultCampaign, EqualsSingleFaultsOnOtherEngines) {
  const MappedKernel kernel = random_kernel(5, 4, 3);
  const BitMatrix in = random_inputs(kernel, 12, 4);
  std::mt19937_64 random(5);
  FaultListParams list;
  list.flip = list.config = list.upset = true;
  list.upset_phases = 70;
  const std::vector<Fault> faults = list_faults(kernel.grid, list, random);
  ASSERT_EQ(faults.size(), 20u * (4 * 4 + 64));
  CampaignStats stats;
  const std::vector<FaultOutcome> outcomes = run_campaign(kernel, in, faults, {SimdTarget::kAuto, 2, {}}, &stats);
  const BitMatrix sound = KernelSimulator(kernel, {GridEngine::kScalar}).run(in);
  size_t detected = 0, unobservable = 0;
  for (size_t i = 0; i < faults.size(); ++i) {
    KernelSimulatorParams params;
    params.faults = {faults[i]};
    params.engine = GridEngine::kScalar;
    const BitMatrix out = KernelSimulator(kernel, params).run(in);
    params.engine = GridEngine::kSliced;
    EXPECT_EQ(KernelSimulator(kernel, params).run(in), out) << print_faults({faults[i]});
    EXPECT_EQ(outcomes[i].detected, out != sound) << print_faults({faults[i]});
    detected += outcomes[i].detected;
    unobservable += !outcomes[i].observable;
  }
  EXPECT_GT(detected, 300u);
  EXPECT_LT(detected, faults.size());
  EXPECT_GT(stats.passes, 2u);
  EXPECT_GT(unobservable, 0u);
}

TEST(FaultCampaign, SampleIsOfTheSizeAskedForAndRepeats) {
  const GridConfig grid(9, 7);
  FaultListParams params;
  params.sample = 50;
  std::mt19937_64 a(1), b(1), c(2);
  const auto first = list_faults(grid, params, a);
  EXPECT_EQ(first.size(), 50u);
  EXPECT_EQ(list_faults(grid, params, b), first);
  EXPECT_NE(list_faults(grid, params, c), first);
}

TEST(FaultCampaign, WrongFaultsAreRefused) {
  const MappedKernel kernel = random_kernel(5, 4, 3);
  EXPECT_THROW(run_campaign(kernel, random_inputs(kernel, 1, 1), {{FaultKind::kFlip, 5, 0}}), Error);
  EXPECT_THROW(run_campaign(kernel, BitMatrix(1, 2), {}), Error);
  KernelSimulatorParams params;
  params.faults = {Fault{}};
  params.engine = GridEngine::kLanes;
  EXPECT_THROW(KernelSimulator(kernel, params), Error);
}

}  // namespace
}  // namespace bitgrid::sim
