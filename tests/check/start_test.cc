// The first invocation after the start: what every strategy makes of random logic, from random latches, on every simulator; and that each
// check sees a lead that is too short.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

#include "check/prove.h"
#include "check/verify_kernel.h"
#include "ir/dag.h"
#include "ir/output_cone.h"
#include "lowering/mapping/matrix/popcount_ii2.h"
#include "lowering/numerics/matrix.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "tests/support/errors.h"
#include "tests/support/random_dag.h"
#include "tests/support/strategies.h"

namespace bitgrid::check {
namespace {

/// Every strategy that takes the kernel.
std::map<std::string, MappedKernel> mappings(const Kernel& kernel) {
  std::map<std::string, MappedKernel> all;
  for (const test::Way& s : test::ways()) {
    if (auto mapped = s.map(kernel)) all.emplace(s.name, std::move(*mapped));
  }
  return all;
}

/// 3 to 6 bits in, at least as many out: gates, wires, complements and constants.
Dag random_logic(std::mt19937_64& random) {
  test::RandomDagParams params;
  params.inputs = 3;
  params.nodes = test::below(random, 10);
  params.outputs = 3 + test::below(random, 4);
  params.max_width = 2;
  params.max_lut_inputs = 2;
  return test::random_dag(random, params);
}

TEST(Start, RandomLogicIsRightFromTheFirstInvocationInEveryStrategy) {
  std::mt19937_64 random(14);
  std::map<std::string, int> accepted;
  for (int n = 0; n < 60; ++n) {
    const Kernel kernel = synthesis::kernel_of(random_logic(random));
    for (const auto& [name, mapped] : mappings(kernel)) {
      ++accepted[name];
      ASSERT_EQ(verify_mapping(kernel, mapped), std::nullopt) << name << " of\n" << print(kernel.dag);
      EXPECT_EQ(needed_lead(mapped).value_or(-1), mapped.lead_cycles) << name;
    }
  }
  for (const test::Way& way : test::ways()) {
    const bool large = way.name == "counter" || way.name == "multiplier";  // of more inputs than these kernels have
    EXPECT_EQ(accepted[way.name] > 0, !large) << way.name;
  }
}

/// Four copies of one input beside two inputs that nothing reads: rows without literals send constants through the whole plane.
Kernel copies() {
  return synthesis::kernel_of(parse_dag("dag copies\ninput a 1\ninput b 1\ninput c 1\noutput w a\noutput x a\noutput y a\noutput z a\n"));
}

TEST(Start, CopiesAreRightInEveryStrategy) {
  for (const auto& [name, mapped] : mappings(copies())) EXPECT_EQ(verify_mapping(copies(), mapped), std::nullopt) << name;
}

/// A folded plane whose constants need a lead.
std::pair<Kernel, MappedKernel> with_lead() {
  std::mt19937_64 random(15);
  for (;;) {
    Kernel kernel = synthesis::kernel_of(random_logic(random));
    MappedKernel mapped = mappings(kernel).at("folded-plane");
    if (mapped.lead_cycles > 0) return {std::move(kernel), std::move(mapped)};
  }
}

TEST(Start, ALeadThatIsTooShortIsRefusedWhateverRunsTheKernel) {
  auto [kernel, mapped] = with_lead();
  EXPECT_EQ(prove_mapping(kernel.dag, mapped).verdict, Verdict::kProved);
  --mapped.lead_cycles;
  const auto refused = testing::HasSubstr("raise lead_cycles from " + std::to_string(mapped.lead_cycles));
  EXPECT_THAT(test::error_of([&] { verify(mapped); }), refused);
  EXPECT_THAT(test::error_of([&] { return verify_mapping(kernel, mapped); }), refused);
  EXPECT_THAT(test::error_of([&] { return prove_mapping(kernel.dag, mapped); }), refused);
}

/// Word-serial sums: carries run in loops, so that only simulation sees what they start with.
std::pair<Kernel, MappedKernel> serial_sums() {
  std::mt19937_64 random(16);
  const Tensor x{"x", 12, {4, 1, {-8}}, {15}};
  numerics::MatrixLayer layer{"layer", &x, {}, nullptr, {}, true, {}};
  for (int r = 0; r < 5; ++r) {
    layer.weights.emplace_back();
    for (int c = 0; c < 12; ++c) layer.weights.back().push_back(static_cast<int64_t>(random() % 3) - 1);
  }
  Kernel kernel = numerics::matrix_kernel(layer, numerics::plan_matrix(layer), "layer", 0, 5);
  MappedKernel mapped = mapping::map_bit_serial("layer", *kernel.form.serial, 48);
  return {std::move(kernel), std::move(mapped)};
}

TEST(Start, SimulationSeesCarriesThatTheLeadDoesNotClear) {
  auto [kernel, mapped] = serial_sums();
  for (const int starts : {4, 0}) {
    VerifyParams params;
    params.starts = starts;
    params.lanes = starts == 0;
    MappedKernel early = mapped;
    early.lead_cycles = 0;
    EXPECT_EQ(verify_mapping(kernel, mapped, params), std::nullopt);
    EXPECT_NE(verify_mapping(kernel, early, params), std::nullopt) << (params.lanes ? "lanes" : "sliced");
  }
}

TEST(Start, ParallelAndInterleavedCountsAreRight) {
  std::mt19937_64 random(17);
  for (const uint32_t inputs : {3u, 8u, 21u, 40u}) {
    const Tensor x{"x", static_cast<int>(inputs), {1, 2, {-1}}, {1}};
    numerics::MatrixLayer layer{"layer", &x, {}, nullptr, Sign{}, false, {}};
    for (int r = 0; r < 4; ++r) {
      layer.weights.emplace_back();
      for (uint32_t c = 0; c < inputs; ++c) layer.weights.back().push_back(random() % 2 ? 1 : -1);
    }
    const Kernel kernel = numerics::matrix_kernel(layer, numerics::plan_matrix(layer), "layer", 0, 4);
    const PopcountForm form = *numerics::popcount_form(layer, 0, 4);
    EXPECT_EQ(verify_mapping(kernel, mapping::map_popcount_wave("layer", form)), std::nullopt) << inputs;
    EXPECT_EQ(verify_mapping(kernel, mapping::map_popcount_ii2("layer", form)), std::nullopt) << inputs;
  }
}

}  // namespace
}  // namespace bitgrid::check
