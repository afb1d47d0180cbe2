// The differential targets see faults: of one bit of a table, of one weight.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/dag.h"
#include "ir/output_cone.h"
#include "lowering/mapping/map.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "tests/fuzz/compare.h"
#include "tests/support/strategies.h"
#include "tests/support/tiny_model.h"

namespace bitgrid {
namespace {

/// The cell that drives an output port, and the side where it leaves.
std::pair<size_t, Side> driver(const MappedKernel& mapped, const BitSlot& slot) {
  const bool vertical = slot.side == Side::N || slot.side == Side::S;
  const int last = (vertical ? mapped.grid.height : mapped.grid.width) - 1;
  const int other = slot.side == Side::N || slot.side == Side::W ? 0 : last;
  return {vertical ? mapped.grid.index(slot.position, other) : mapped.grid.index(other, slot.position), slot.side};
}

TEST(Compare, SeesOneBitOfATableInEveryStrategy) {
  const Kernel kernel =
      synthesis::kernel_of(parse_dag("dag f\ninput a 1\ninput b 1\ninput c 1\nx:1 = xor a b\ny:1 = and x c\noutput p x\noutput q y\n"));
  for (const test::Way& strategy : test::ways()) {
    auto mapped = strategy.map(kernel);
    if (!mapped) continue;
    EXPECT_EQ(fuzz::first_wrong(kernel.dag, *mapped), std::nullopt) << strategy.name;
    const auto [cell, side] = driver(*mapped, mapped->outputs[0]);
    int seen = 0;
    for (int index = 0; index < 16; ++index) {
      MappedKernel damaged = *mapped;
      damaged.grid.cells[cell] ^= CellWord{1} << (4 * index + static_cast<int>(side));
      raise_lead(damaged);  // of what else it depends on now
      seen += fuzz::first_wrong(kernel.dag, damaged).has_value();
    }
    EXPECT_GT(seen, 0) << strategy.name;
  }
}

struct Case {
  Model model = tiny_model();
  Program program = numerics::lower(model);
  std::vector<MappedKernel> mapped = mapping::map_kernels(program, {.effort = mapping::Effort::kFast});
  std::vector<int> tokens = {1, 2, 3, 4, 5};
};

TEST(Compare, SeesOneWeightOfAModel) {
  Case c;
  EXPECT_EQ(fuzz::first_wrong(c.model, c.program, c.mapped, c.tokens), std::nullopt);
  int8_t& weight = c.model.head.weights.data[0];
  weight = weight == 1 ? -1 : 1;
  EXPECT_THAT(fuzz::first_wrong(c.model, c.program, c.mapped, c.tokens).value_or(""), testing::HasSubstr("Dags, token 0: logits[0] is"));
}

TEST(Compare, SeesOneBitOfTheGridOfAModel) {
  Case c;
  MappedKernel& last = c.mapped.back();
  const auto [cell, side] = driver(last, last.outputs[0]);
  for (int index = 0; index < 16; ++index) last.grid.cells[cell] ^= CellWord{1} << (4 * index + static_cast<int>(side));
  EXPECT_THAT(fuzz::first_wrong(c.model, c.program, c.mapped, c.tokens).value_or(""), testing::StartsWith("grid, token 0: logits"));
}

}  // namespace
}  // namespace bitgrid
