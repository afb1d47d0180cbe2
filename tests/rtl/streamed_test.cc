// Streamed matrices on the Verilog of the fabric.
#include <unistd.h>

#include <gtest/gtest.h>
#include <filesystem>
#include <random>

#include "lowering/mapping/map.h"
#include "lowering/mapping/streamed/streamed_matrix.h"
#include "rtl/command.h"
#include "rtl/fabric.h"
#include "rtl/fabric_kernel.h"

namespace bitgrid::rtl {
namespace {

TEST(StreamedFabric, RunsOnTheVerilogOfTheGrid) {
  if (run_command({"verilator", "--version"}, "/dev/null") == 127)
    GTEST_SKIP() << "verilator is not installed (scripts/install-dependencies --test)";
  const Kernel kernel = mapping::streamed_kernel("m", {{-7, 3, 0, 5, 7}, -7, 7, mapping::ternary_weights(), 60, 0});
  const MappedKernel mapped = mapping::map_kernel(kernel, {});
  RtlParams params;
  params.cache_dir = (std::filesystem::path(testing::TempDir()) / ("bitgrid_rtl_test_cache_" + std::to_string(getuid()))).string();
  FabricKernel fabric(mapped, build_rtl({fabric_source(fabric_shape(mapped))}, params)[0]);
  std::mt19937_64 random(1);
  BitMatrix inputs(200, input_bits(kernel.dag));
  for (size_t row = 0; row < inputs.rows; ++row) inputs.set_word(row, 0, static_cast<unsigned>(inputs.cols), random());
  EXPECT_EQ(fabric.run(inputs), evaluate(kernel.dag, inputs));
}

}  // namespace
}  // namespace bitgrid::rtl
