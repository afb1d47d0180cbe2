// The key of a mapping: equal for equal kernels, another for anything else.
#include <gtest/gtest.h>

#include <set>

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
  std::set<uint64_t> keys = {mapping_key(adder(4), {}, {}), mapping_key(adder(5), {}, {})};
  MapParams p;
  p.seed = 2;
  keys.insert(mapping_key(adder(4), {}, p));
  p = {};
  p.optimize = Optimize::kThroughput;
  keys.insert(mapping_key(adder(4), {}, p));
  p = {};
  p.mode = MapMode::kSettle;
  keys.insert(mapping_key(adder(4), {}, p));
  p = {};
  p.effort = Effort::kDense;
  keys.insert(mapping_key(adder(4), {}, p));
  p = {};
  p.defects.cells = {{1, 2}};
  keys.insert(mapping_key(adder(4), {}, p));
  p = {};
  p.defects.edges = {{1, 2, Side::E}};
  keys.insert(mapping_key(adder(4), {}, p));
  EXPECT_EQ(keys.size(), 8u);
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
