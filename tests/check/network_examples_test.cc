// The networks of examples/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "check/check_network.h"
#include "frontend/npy.h"
#include "reference_cpu/network_engine.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::check {
namespace {

const std::string kDigits = std::string(BITGRID_SOURCE_DIR) + "/examples/bnn-digits/";

engines::OpenNetwork digits() {
  engines::OpenNetworkParams params;
  params.input = kDigits + "test_images.npy";
  return engines::open_network(kDigits + "digits.onnx", params);
}

TEST(NetworkExamples, DigitsKeepTheirAccuracy) {
  const engines::OpenNetwork open = digits();
  const frontend::NpyArray labels = frontend::read_npy(kDigits + "test_labels.npy");
  const auto codes = engines::codes_of(open.network, open.samples);
  ASSERT_EQ(codes.size(), labels.values.size());
  size_t right = 0;
  for (size_t s = 0; s < codes.size(); ++s)
    right += static_cast<double>(answer(open.network, cpu::run_network(open.network, codes[s]))[0]) == labels.values[s];
  EXPECT_EQ(right, 473u);
  EXPECT_EQ(codes.size(), 500u);
}

TEST(NetworkExamples, DigitsAreTheSameOnEveryEngine) {
  engines::OpenNetwork open = digits();
  open.samples.resize(8);
  NetworkCheckParams params;
  params.engines = {&engines::find_engine("cpu"), &engines::find_engine("dag"), &engines::find_engine("grid")};
  params.run.latch_seed = 1;
  const NetworkCheckReport report = check_network(open, params);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.engines[2].mismatches, 0u);
  EXPECT_GT(report.engines[2].compared, 10000u);
}

/// The first image of a network of CNV's size: 59 million products.
TEST(NetworkExamples, CnvIsTheSameOnEveryEngine) {
  const test::ScratchFolder folder;
  const std::string model = folder.file("cnv.onnx"), images = folder.file("images.npy");
  const std::string make = "/usr/bin/python3 " + std::string(BITGRID_SOURCE_DIR) + "/bench/cnv.py " + model + " " + images;
  if (std::system((make + " > " + folder.file("log") + " 2>&1").c_str()) != 0) GTEST_SKIP() << "no /usr/bin/python3 with numpy: no network";
  engines::OpenNetworkParams open_params;
  open_params.input = images;
  engines::OpenNetwork open = engines::open_network(model, open_params);
  open.samples.resize(1);
  NetworkCheckParams params;
  params.engines = {&engines::find_engine("dag"), &engines::find_engine("grid")};
  const NetworkCheckReport report = check_network(open, params);
  EXPECT_TRUE(report.ok());
  EXPECT_GT(report.engines[1].compared, 150000u);
}

}  // namespace
}  // namespace bitgrid::check
