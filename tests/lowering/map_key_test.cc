// The key of a mapping: equal for equal kernels, another for anything else.
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <utility>

#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::mapping {
namespace {

Kernel adder(uint32_t width) {
  Dag dag;
  dag.name = "adder";
  const NodeId a = add_input(dag, "a", width), b = add_input(dag, "b", width);
  add_output(dag, "s", add_node(dag, Op::kAdd, width, {a, b}));
  return synthesis::kernel_of(std::move(dag));
}

TEST(MappingKey, EqualKernelsHaveEqualKeys) {
  EXPECT_EQ(mapping_key(adder(4), {}), mapping_key(adder(4), {}));
}

TEST(MappingKey, EveryParameterMatters) {
  const std::vector<Strategy> other(strategies().begin() + 1, strategies().end());
  MapParams changed;
  auto& [seed, optimize, mode, plane_inputs, defects, effort, strategy, stop_point, table] =
      changed;  // a new field does not compile until it is changed below
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
      {"strategy", [&] { strategy = "plane"; }},
      {"table of strategies", [&] { table = &other; }},
  };
  std::set<uint64_t> keys = {mapping_key(adder(4), {}), mapping_key(adder(5), {})};
  ASSERT_EQ(keys.size(), 2u);
  for (const auto& [name, change] : changes) {
    changed = {};
    change();
    EXPECT_TRUE(keys.insert(mapping_key(adder(4), changed)).second) << name;
  }
}

TEST(MappingKey, OneWeightChangesOneKernel) {
  Model model = tiny_model();
  const Program before = numerics::lower(model);
  model.head.weights.data[5] = static_cast<int8_t>(model.head.weights.data[5] == 1 ? -1 : 1);
  const Program after = numerics::lower(model);
  ASSERT_EQ(before.kernels.size(), after.kernels.size());
  for (size_t k = 0; k < before.kernels.size(); ++k) {
    const bool same = mapping_key(before.kernels[k], {}) == mapping_key(after.kernels[k], {});
    EXPECT_EQ(same, before.kernels[k].name != "head") << before.kernels[k].name;
  }
}

/// The serial form's start constants are not part of the Dag's text.
TEST(MappingKey, TheFormMatters) {
  const Program program = numerics::lower(tiny_model());
  const size_t head = program.kernels.size() - 1;
  Kernel other = program.kernels[head];
  ASSERT_TRUE(other.form.serial);
  ++other.form.serial->groups.back().planes.back().start;
  EXPECT_NE(mapping_key(program.kernels[head], {}), mapping_key(other, {}));
}

}  // namespace
}  // namespace bitgrid::mapping
