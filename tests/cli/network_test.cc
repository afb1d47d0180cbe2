// Networks of ONNX files, as their user meets them.
#include <filesystem>
#include <fstream>

#include "frontend/npz.h"
#include "ir/output_file.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

const std::string kQonnx = std::string(BITGRID_SHARED_CASES) + "/qonnx/";

class Network : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    if (!std::filesystem::exists(kQonnx)) GTEST_SKIP() << "no " << kQonnx;
  }
};

TEST_F(Network, EveryEngineComputesWhatTheDefinitionSays) {
  const Result r = bitgrid("check " + kQonnx + "TFC_1W1A.onnx --engines cpu,dag,grid");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("grid        12928 values compared, 0 mismatches"));
}

TEST_F(Network, InspectSaysWhatTheGraphBecame) {
  EXPECT_THAT(bitgrid("inspect " + kQonnx + "TFC_2W2A.onnx").output, HasSubstr("59008 weights; every threshold was proved"));
}

TEST_F(Network, RunAsksForSamples) {
  const Result r = bitgrid("run " + kQonnx + "TFC_1W1A.onnx");
  EXPECT_NE(r.status, 0);
  EXPECT_THAT(r.output, HasSubstr("--input: a network runs on samples; give a .npy file, as numpy.save writes it"));
}

TEST_F(Network, OptionsOfOtherModelsAreRefused) {
  const Result r = bitgrid("check " + kQonnx + "TFC_1W1A.onnx --engines dag --dataflow streamed");
  EXPECT_THAT(r.output, HasSubstr("--dataflow: only models with scales have this choice; leave it out"));
}

TEST_F(Cli, ArraysOfAnotherKernelNeedTheirSamplesAlone) {
  const std::string digits = std::string(BITGRID_SOURCE_DIR) + "/examples/bnn-digits/";
  OutputFile arrays(path("x.npz"));
  frontend::write_npz(arrays, {{"nothing", {1}, {1}}});
  const std::string check = "check " + digits + "digits.onnx --against " + path("x.npz");
  EXPECT_THAT(bitgrid(check).output,
              HasSubstr("--against: arrays of a network belong to samples; give those that they were computed from"));
  EXPECT_THAT(bitgrid(check + " --engines dag").output, HasSubstr("arrays are compared with engine cpu alone, without --engines"));
  EXPECT_THAT(bitgrid(check + " --input " + digits + "test_images.npy").output,
              HasSubstr("x.npz, array nothing: no values of the model have this name; name arrays as input, layers.0.sums"));
}

/// What is no ONNX file is refused, whatever it is.
TEST_F(Cli, AFileThatIsNoGraphIsRefused) {
  std::ofstream(path("bad.onnx")) << "not a graph";
  const Result r = bitgrid("inspect " + path("bad.onnx"));
  EXPECT_NE(r.status, 0);
  EXPECT_THAT(r.output, HasSubstr("bad.onnx"));
}

}  // namespace
}  // namespace bitgrid
