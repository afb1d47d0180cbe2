// A kernel of the shipped model among bad cells: mapped around them it is exact, mapped without regard to them it is refuted.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "check/verify_kernel.h"
#include "frontend/load_model.h"
#include "ir/kernel_defects.h"
#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"

namespace bitgrid::check {
namespace {

TEST(DefectsOfATile, KernelOfTheShippedModel) {
  const Program program = numerics::lower(frontend::load_model(std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-ternary/model.yaml"));
  const auto& kernels = program.kernels;
  const auto score = std::find_if(kernels.begin(), kernels.end(), [](const Kernel& k) { return k.name == "layers.0.score"; });
  ASSERT_NE(score, kernels.end());
  std::mt19937_64 random(1);
  mapping::MapParams params;
  const MappedKernel plain = mapping::map_kernel(*score, params);
  params.defects = random_defects(200, 200, 0.01, 0.002, random);
  const MappedKernel around = mapping::map_kernel(*score, params);
  VerifyParams fabric;
  fabric.defects = params.defects;
  EXPECT_TRUE(first_defect_used(plain, params.defects));
  EXPECT_TRUE(verify_mapping(*score, plain, fabric));
  EXPECT_FALSE(first_defect_used(around, params.defects));
  EXPECT_FALSE(verify_mapping(*score, around, fabric));
  EXPECT_EQ(around, mapping::map_kernel(*score, params));
}

}  // namespace
}  // namespace bitgrid::check
