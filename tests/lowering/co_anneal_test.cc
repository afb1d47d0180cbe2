#include "lowering/mapping/netlist/co_anneal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/kernel_defects.h"
#include "lowering/mapping/netlist/map_netlist.h"
#include "lowering/synthesis/logic_graph.h"
#include "lowering/synthesis/simplify.h"
#include "lowering/synthesis/techmap.h"
#include "tests/lowering/netlist_support.h"

namespace bitgrid::mapping {

// Sees and damages what is private.
class LiveStateTest : public testing::Test {
 protected:
  static Dag count(int bits) {
    return parse_dag("dag t\ninput a " + std::to_string(bits) + "\nc:5 = popcount a\noutput y c\noutput z a\n");
  }
  LutNetwork network = synthesis::simplify(synthesis::map_to_luts(synthesis::logic_graph(count(12))));
  Random random{3};

  CoAnnealState started(int side, const DefectMap& defects = {}) {
    CoAnnealState state(network, {side, side}, defects, {});
    std::vector<uint32_t> places;
    uint32_t port = 0, out = 3;
    int next = 0;
    auto spread = [&] { return state.cell(3 * next % (side * side) % side, 3 * next % (side * side) / side); };
    for (uint32_t i = 0; i < state.items(); ++i)
      if (state.is_lut(i)) {
        while (!state.is_good(spread(), false)) ++next;
        places.push_back(spread());
        ++next;
      } else {
        places.push_back(state.ring_cell(state.is_output(i) ? out++ : port++));
      }
    EXPECT_TRUE(state.start(places));
    return state;
  }

  bool random_move(CoAnnealState& state, int64_t budget) {
    const uint32_t c = state.cell(static_cast<int>(random.below(8)), static_cast<int>(random.below(8)));
    const auto item = random.below(static_cast<uint32_t>(state.items()));
    if (random.below(4) == 0) return state.try_reroute(random.below(static_cast<uint32_t>(state.signals())), budget);
    if (random.below(4) == 0) return state.try_reroute_around(std::vector<uint32_t>{c}, random, budget);
    if (!state.is_lut(item)) {
      const uint32_t to = state.ring_cell(random.below(state.region().ports()));
      const uint16_t other = state.is_output(item) ? state.output_at(to) : state.input_at(to);
      if (other == item) return false;
      std::vector<CoAnnealState::Step> steps{{item, to}};
      if (other != CoAnnealState::kNone) steps.push_back({other, state.place(item)});
      return state.try_steps(steps, budget);
    }
    if (state.place(item) == c) return false;
    std::vector<CoAnnealState::Step> steps{{item, c}};
    if (random.below(2) == 0)
      for (const uint16_t lut : state.luts(c)) steps.push_back({lut, state.place(item)});
    return state.try_steps(steps, budget);
  }

  static bool same(const CoAnnealState& a, const CoAnnealState& b) {
    for (uint32_t c = 0; c < a.cells(); ++c)
      for (uint32_t s = 0; s < 4; ++s) {
        std::vector<uint16_t> x(a.users(c, s).begin(), a.users(c, s).end()), y(b.users(c, s).begin(), b.users(c, s).end());
        std::sort(x.begin(), x.end());
        std::sort(y.begin(), y.end());
        if (x != y) return false;
      }
    return a.at_ == b.at_ && a.energy_ == b.energy_ && a.in_port_ == b.in_port_ && a.out_port_ == b.out_port_;
  }
  static void cut(CoAnnealState& state, uint32_t c, uint32_t side) { state.erase(c, side, state.users(c, side).front()); }
  static void lose(CoAnnealState& state, uint32_t lut) { state.at_[lut] = state.cell(7, 7); }
};

namespace {

TEST_F(LiveStateTest, MovesKeepItWhole) {
  CoAnnealState state = started(8);
  int taken = 0;
  for (int i = 0; i < 4000; ++i) {
    taken += random_move(state, static_cast<int64_t>(random.below(200)) - 40);
    if (i % 50 == 0) state.remember_overuse(16);
    ASSERT_EQ(state.fault(), "") << "after move " << i;
  }
  EXPECT_GT(taken, 400);
}

TEST_F(LiveStateTest, WhatIsNotTakenChangesNothing) {
  CoAnnealState state = started(8);
  for (int i = 0; i < 1000; ++i) {
    const CoAnnealState before = state;
    const auto energy = state.energy();
    const int64_t budget = static_cast<int64_t>(random.below(100)) - 50;
    if (random_move(state, budget)) {
      ASSERT_LE(state.energy(), energy + budget);
    } else {
      ASSERT_TRUE(same(state, before)) << "after move " << i;
    }
  }
}

TEST_F(LiveStateTest, TheCheckerFindsACutWireAndALostLut) {
  const CoAnnealState state = started(8);
  int found = 0, cuts = 0;
  for (uint32_t c = 0; c < state.cells(); ++c)
    for (uint32_t s = 0; s < 4; ++s) {
      if (state.users(c, s).empty()) continue;
      CoAnnealState damaged = state;
      cut(damaged, c, s);
      ++cuts;
      found += !damaged.fault().empty();
    }
  EXPECT_EQ(found, cuts);
  CoAnnealState damaged = state;
  lose(damaged, static_cast<uint32_t>(network.inputs.size()));
  EXPECT_THAT(damaged.fault(), testing::HasSubstr("is not in cell"));
}

TEST_F(LiveStateTest, DefectsAreNotEntered) {
  const Defects defects{{{2, 2}, {5, 1}}, {{4, 4, Side::E}}};
  CoAnnealState state = started(8, DefectMap(defects, 8, 8));
  for (int i = 0; i < 2000; ++i) random_move(state, 1000);
  EXPECT_EQ(state.fault(), "");
  EXPECT_TRUE(state.users(state.cell(5, 4), static_cast<uint32_t>(Side::W)).empty());
  EXPECT_TRUE(state.users(state.cell(3, 2), static_cast<uint32_t>(Side::W)).empty());
}

NetlistParams dense(uint64_t seed = 1) {
  NetlistParams params;
  params.effort = Effort::kDense;
  params.seed = seed;
  params.live_work = 3e4;
  return params;
}

void expect_exact(const std::string& body, uint32_t inputs) {
  const Dag dag = parse_dag("dag t\n" + body);
  const BitMatrix batch = all_values(inputs);
  EXPECT_EQ(run_kernel(map_netlist(dag, dense()), batch), evaluate(dag, batch));
}

TEST(LiveAnneal, ACounterIsExactAndSmallerThanByDefault) {
  const Dag dag = parse_dag("dag t\ninput a 15\nc:4 = popcount a\noutput y c\n");
  NetlistStats stats;
  const MappedKernel kernel = map_netlist(dag, dense(), &stats);
  const BitMatrix batch = all_values(15);
  EXPECT_EQ(run_kernel(kernel, batch), evaluate(dag, batch));
  EXPECT_LT(kernel.grid.cells.size(), map_netlist(dag).grid.cells.size());
  EXPECT_EQ(stats.attempts.back().method, "live");
  EXPECT_EQ(stats.wirelength, stats.attempts.back().wirelength);
}

TEST(LiveAnneal, TablesWithSharedInputsAreExact) {
  expect_exact("input a 4\ninput b 4\ns:5 = add a b\nx:5 = xor s a\nl:1 = less a b\noutput ys s\noutput yx x\noutput yl l\n", 8);
}

TEST(LiveAnneal, ConstantsWiresInvertersAndUnusedInputs) {
  expect_exact("input a 3\ninput b 2\nk = constant 2 0x2\nn:3 = not a\noutput yk k\noutput ya a\noutput yn n\n", 5);
}

TEST(LiveAnneal, ConstantsAlone) {
  expect_exact("k = constant 3 0x5\noutput yk k\n", 0);
}

TEST(LiveAnneal, SameSeedGivesTheSameKernel) {
  const Dag dag = parse_dag("dag t\ninput a 7\nc:5 = popcount a\noutput y c\n");
  EXPECT_EQ(map_netlist(dag, dense(5)).grid, map_netlist(dag, dense(5)).grid);
}

TEST(LiveAnneal, GoesRoundDefects) {
  NetlistParams params = dense();
  params.live_work = 1e5;
  std::mt19937_64 random(7);
  params.defects = random_defects(40, 40, 0.03, 0.01, random);
  const Dag dag = parse_dag("dag t\ninput a 12\nc:5 = popcount a\noutput y c\n");
  NetlistStats stats;
  const MappedKernel kernel = map_netlist(dag, params, &stats);
  EXPECT_EQ(stats.attempts.back().method, "live");
  EXPECT_FALSE(first_defect_used(kernel, params.defects));
  const BitMatrix batch = all_values(12);
  EXPECT_EQ(run_kernel(kernel, batch), evaluate(dag, batch));
}

}  // namespace
}  // namespace bitgrid::mapping
