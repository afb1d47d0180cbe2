// The key of a mapping: equal for equal kernels, another for anything else.
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <utility>

#include "lowering/cover_dag.h"
#include "lowering/map.h"
#include "tests/support/tiny_model.h"

namespace bitgrid {
namespace {

Kernel adder(uint32_t width) {
  Dag dag;
  dag.name = "adder";
  const NodeId a = add_input(dag, "a", width), b = add_input(dag, "b", width);
  add_output(dag, "s", add_node(dag, Op::kAdd, width, {a, b}));
  return kernel_of(std::move(dag));
}

TEST(MappingKey, EqualKernelsHaveEqualKeys) {
  EXPECT_EQ(mapping_key(adder(4), {}, {}), mapping_key(adder(4), {}, {}));
}

TEST(MappingKey, EveryParameterMatters) {
  MapParams changed;
  auto& [seed, optimize, mode, plane_inputs, defects, effort] = changed;  // a new field does not compile until it is changed below
  const std::pair<const char*, std::function<void()>> changes[] = {
      {"seed", [&] { seed = 2; }},
      {"optimize", [&] { optimize = Optimize::kThroughput; }},
      {"mode", [&] { mode = MapMode::kSettle; }},
      {"plane_inputs", [&] { --plane_inputs; }},
      {"bad cell",
       [&] {
         defects.cells = {{1, 2}};
       }},
      {"bad edge",
       [&] {
         defects.edges = {{1, 2, Side::E}};
       }},
      {"side of a bad edge",
       [&] {
         defects.edges = {{1, 2, Side::N}};
       }},
      {"effort", [&] { effort = Effort::kDense; }},
  };
  std::set<uint64_t> keys = {mapping_key(adder(4), {}, {}), mapping_key(adder(5), {}, {})};
  ASSERT_EQ(keys.size(), 2u);
  for (const auto& [name, change] : changes) {
    changed = {};
    change();
    EXPECT_TRUE(keys.insert(mapping_key(adder(4), {}, changed)).second) << name;
  }
}

TEST(MappingKey, OneWeightChangesOneKernel) {
  Model model = tiny_model();
  const Lowered before = lower(model);
  model.head.weights.data[5] = static_cast<int8_t>(model.head.weights.data[5] == 1 ? -1 : 1);
  const Lowered after = lower(model);
  ASSERT_EQ(before.forms.size(), after.forms.size());
  for (size_t k = 0; k < before.forms.size(); ++k) {
    const bool same =
        mapping_key(before.program.kernels[k], before.forms[k], {}) == mapping_key(after.program.kernels[k], after.forms[k], {});
    EXPECT_EQ(same, before.program.kernels[k].name != "head") << before.program.kernels[k].name;
  }
}

/// The serial form's start constants are no part of the Dag's text.
TEST(MappingKey, TheFormMatters) {
  const Lowered lowered = lower(tiny_model());
  const size_t head = lowered.forms.size() - 1;
  KernelForm form = lowered.forms[head];
  ASSERT_TRUE(form.serial);
  ++form.serial->groups.back().planes.back().start;
  EXPECT_NE(mapping_key(lowered.program.kernels[head], form, {}), mapping_key(lowered.program.kernels[head], lowered.forms[head], {}));
}

}  // namespace
}  // namespace bitgrid
