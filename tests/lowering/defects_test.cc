// Systolic arrays around bad cells: the same outputs as on a flawless fabric, with random bits on every bad output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "ir/dag.h"
#include "ir/error.h"
#include "ir/kernel_defects.h"
#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/mapping/matrix/detour_plan.h"
#include "lowering/mapping/matrix/lay_plan.h"
#include "lowering/mapping/matrix/row_end_stamps.h"
#include "lowering/mapping/matrix/row_paths.h"
#include "lowering/mapping/site_canvas.h"
#include "lowering/mapping/strategy.h"
#include "tests/lowering/netlist_support.h"

namespace bitgrid::mapping {
namespace {

using testing::HasSubstr;

constexpr uint32_t kBits = 4;

struct Shape {
  const char* name;
  int columns, rows, planes;
  bool residual, raw, clamp, sign;
  friend void PrintTo(const Shape& s, std::ostream* out) { *out << s.name; }
};

Word word(int index) {
  return {static_cast<uint32_t>(index) * kBits, kBits, 0, 15};
}

/// Random ternary weights; with a clamp, sums are pushed into and out of its range.
BitSerialForm random_array_form(const Shape& s, std::mt19937_64& random) {
  BitSerialForm form;
  int words = 0;
  for (int c = 0; c < s.columns; ++c) form.columns.push_back(word(words++));
  for (int r = 0; r < s.rows; ++r) {
    RowGroup group;
    for (int p = 0; p < s.planes; ++p) {
      PlaneRow row;
      for (int c = 0; c < s.columns; ++c) row.weights.push_back(static_cast<int8_t>(static_cast<int>(random() % 3) - 1));
      row.start = 15 * s.columns;
      group.planes.push_back(row);
    }
    if (s.residual) group.residual = word(words++);
    form.groups.push_back(group);
  }
  form.word_slots = 18;
  if (s.raw) form.raw_bits = 16;
  if (s.clamp) form.clamp = ClampForm{1, 10, 4, true};
  form.sign = s.sign;
  return form;
}

uint32_t input_bits(const BitSerialForm& form) {
  uint32_t words = static_cast<uint32_t>(form.columns.size());
  for (const RowGroup& g : form.groups) words += g.residual.has_value();
  return words * kBits;
}

/// Also where the regular plan would do.
MappedKernel map_with_detours(const BitSerialForm& form, uint32_t bits, const Defects& defects) {
  return lay_plan("k", form, bits, detour_plan("k", form, defects));
}

BitMatrix random_inputs(uint32_t bits, std::mt19937_64& random) {
  BitMatrix inputs(12, bits);
  for (size_t r = 0; r < inputs.rows; ++r) {
    for (size_t c = 0; c < bits; c += kBits) inputs.set_word(r, c, kBits, random() % 3 == 0 ? 15 : random() & 15);
  }
  return inputs;
}

class Around : public testing::TestWithParam<Shape> {};

TEST_P(Around, SameOutputsAtSeveralRates) {
  std::mt19937_64 random(11);
  for (const double rate : {0.0, 0.005, 0.01, 0.02}) {
    const BitSerialForm form = random_array_form(GetParam(), random);
    const BitMatrix inputs = random_inputs(input_bits(form), random);
    const Defects defects = random_defects(200, 120, rate, rate / 2, random);
    const MappedKernel plain = map_bit_serial("k", form, input_bits(form));
    const MappedKernel around = map_with_detours(form, input_bits(form), defects);
    verify(around);
    EXPECT_FALSE(first_defect_used(around, defects).has_value());
    EXPECT_EQ(around.ii, plain.ii);
    EXPECT_EQ(run_kernel(around, inputs, defects), sim::KernelSimulator(plain).run(inputs)) << "rate " << rate;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Around,
    testing::Values(Shape{"sums", 10, 12, 1, false, true, false, false}, Shape{"signs", 9, 7, 1, false, false, false, true},
                    Shape{"planes", 6, 5, 3, false, true, false, false}, Shape{"clamp", 8, 6, 1, false, false, true, false},
                    Shape{"stream", 7, 6, 1, true, true, true, false}, Shape{"added", 7, 6, 1, true, true, false, false},
                    Shape{"words", 0, 5, 1, true, false, true, false}),
    testing::PrintToStringParamName());

TEST(AroundForms, ConstantBeforeTheSign) {
  std::mt19937_64 random(5);
  BitSerialForm form = random_array_form({"", 6, 4, 1, true, false, false, true}, random);
  form.strip_constant = (1 << 17) - 120;
  const Defects defects = random_defects(80, 60, 0.02, 0.01, random);
  const BitMatrix inputs = random_inputs(input_bits(form), random);
  EXPECT_EQ(run_kernel(map_with_detours(form, input_bits(form), defects), inputs, defects),
            sim::KernelSimulator(map_bit_serial("k", form, input_bits(form))).run(inputs));
}

// Sums leave from within the strips, through edges of which some are bad.
TEST(AroundForms, RawSumsBeforeTheConstant) {
  for (const uint64_t seed : {9u, 14u, 20u}) {
    std::mt19937_64 random(seed);
    BitSerialForm form = random_array_form({"", 12, 5, 3, false, true, true, false}, random);
    form.strip_constant = 37;
    const Defects defects = random_defects(160, 120, 0.003, 0.02, random);
    const BitMatrix inputs = random_inputs(input_bits(form), random);
    const MappedKernel around = map_with_detours(form, input_bits(form), defects);
    EXPECT_FALSE(first_defect_used(around, defects));
    EXPECT_EQ(run_kernel(around, inputs, defects), sim::KernelSimulator(map_bit_serial("k", form, input_bits(form))).run(inputs));
  }
}

TEST(AroundForms, SumsOfTwoWords) {
  std::mt19937_64 random(6);
  BitSerialForm form;
  for (int r = 0; r < 9; ++r) {
    RowGroup group;
    group.planes.emplace_back();
    group.planes[0].start_word = word(2 * r);
    group.residual = word(2 * r + 1);
    form.groups.push_back(group);
  }
  form.raw_bits = form.word_slots = kBits + 1;
  const Defects defects = random_defects(60, 8, 0.1, 0.02, random);
  const BitMatrix inputs = random_inputs(18 * kBits, random);
  EXPECT_EQ(run_kernel(map_with_detours(form, 18 * kBits, defects), inputs, defects),
            sim::KernelSimulator(map_bit_serial("k", form, 18 * kBits)).run(inputs));
}

TEST(AroundForms, ResidentDigits) {
  std::mt19937_64 random(7);
  BitSerialForm form;
  for (int c = 0; c < 6; ++c) form.columns.push_back(word(c));
  uint32_t bit = 6 * kBits;
  for (int r = 0; r < 6; ++r) {
    RowGroup group;
    group.planes.resize(2);
    for (int p = 0; p < 2; ++p) {
      for (int c = 0; c < 6; ++c)
        group.planes[static_cast<size_t>(p)].residents.push_back({bit++, static_cast<int8_t>(p == 0 ? -1 : 0), static_cast<int8_t>(p)});
      group.planes[static_cast<size_t>(p)].start = 6 * 15;
    }
    form.groups.push_back(group);
  }
  form.raw_bits = form.word_slots = 12;
  const Defects defects = random_defects(80, 60, 0.02, 0.01, random);
  const MappedKernel around = map_with_detours(form, bit, defects);
  const BitMatrix inputs = random_inputs(bit, random);
  EXPECT_EQ(run_kernel(around, inputs, defects), sim::KernelSimulator(map_bit_serial("k", form, bit)).run(inputs));
}

TEST(AroundForms, WithoutDefectsNoMoreCells) {
  std::mt19937_64 random(8);
  for (const Shape& s : {Shape{"", 12, 10, 1, false, true, false, false}, Shape{"", 8, 6, 1, false, false, true, false}}) {
    const BitSerialForm form = random_array_form(s, random);
    EXPECT_LE(map_with_detours(form, input_bits(form), {}).grid.cells.size(),
              map_bit_serial("k", form, input_bits(form)).grid.cells.size());
  }
}

// The checks can fail: what relies on a bad cell is found, by its configuration and by its outputs.
TEST(AroundForms, MappingsThatIgnoreDefectsAreRefuted) {
  std::mt19937_64 random(9);
  const BitSerialForm form = random_array_form({"", 8, 6, 1, false, true, false, false}, random);
  const MappedKernel plain = map_bit_serial("k", form, input_bits(form));
  const BitMatrix inputs = random_inputs(input_bits(form), random), sound = sim::KernelSimulator(plain).run(inputs);
  for (int i = 0; i < 20; ++i) {
    const int x = static_cast<int>(random() % 16), y = static_cast<int>(random() % 6);
    EXPECT_TRUE(first_defect_used(plain, {{{x, y}}, {}}));
    EXPECT_NE(run_kernel(plain, inputs, {{{x, y}}, {}}), sound) << x << ", " << y;
    EXPECT_NE(run_kernel(plain, inputs, {{}, {{x, y, Side::E}}}), sound) << x << ", " << y;
  }
}

TEST(AroundForms, DefectsThatNothingUsesCostNothing) {
  std::mt19937_64 random(10);
  const BitSerialForm form = random_array_form({"", 8, 6, 1, false, true, false, false}, random);
  const MappedKernel plain = map_bit_serial("k", form, input_bits(form));
  Kernel kernel;
  kernel.name = "k";
  kernel.form.serial = form;
  add_input(kernel.dag, "x", input_bits(form));
  MapParams params;
  params.defects = {{{plain.grid.width, 2}}, {{1, 3, Side::N}}};
  EXPECT_EQ(std::get<MappedKernel>(find_strategy("bit-serial").map(MappingProblem(kernel, params), {}, nullptr)), plain);
}

TEST(AroundForms, HopelessFabricIsSaidSo) {
  std::mt19937_64 random(12);
  const BitSerialForm form = random_array_form({"", 8, 6, 1, false, true, false, false}, random);
  const Defects defects = random_defects(300, 300, 0.9, 0, random);
  try {
    map_with_detours(form, input_bits(form), defects);
    FAIL() << "a layout on a fabric of bad cells";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("kernel k: no layout of 8 inputs x 6 outputs avoids the"));
    EXPECT_THAT(e.what(), HasSubstr("finds no path through column"));
    EXPECT_THAT(e.what(), HasSubstr("use a tile with fewer defects there"));
  }
}

// Three rows of weights 0 and plain columns, with what is bad.
RowPaths plain_rows(int columns, const Defects& defects, RowPathsParams params, const std::vector<int>& late) {
  static const PlaneRow zeros{};
  const Fabric fabric(columns, 12, defects);
  std::vector<ArrayStep> steps;
  for (int x = 0; x < columns; ++x) steps.push_back({ArrayStepKind::kPlain, x, 0, late[static_cast<size_t>(x)]});
  params.height = 12;
  params.late_end = late.back();
  return find_row_paths(fabric, steps, {{&zeros, 0, 0, 1}, {&zeros, 1, 0, 1}, {&zeros, 2, 0, 1}}, params);
}

std::vector<int> ys(const RowPath& path) {
  std::vector<int> result;
  for (const RowStep& s : path) result.push_back(s.y_out);
  return result;
}

TEST(RowPaths, RowsGoAroundAndKeepTheirOrder) {
  const RowPaths paths = plain_rows(6, {{{3, 1}}, {}}, {}, {0, 0, 0, 0, 0, 0});
  ASSERT_EQ(paths.paths.size(), 3u);
  EXPECT_EQ(ys(paths.paths[0]), (std::vector<int>{0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(ys(paths.paths[1]), (std::vector<int>{1, 1, 2, 2, 2, 2}));
  EXPECT_EQ(ys(paths.paths[2]), (std::vector<int>{2, 2, 3, 3, 3, 3}));
}

TEST(RowPaths, WithTimeToLoseRowsComeBackOrWait) {
  const RowPaths paths = plain_rows(6, {{{2, 1}}, {}}, {}, {0, 0, 0, 0, 1, 1});
  ASSERT_EQ(paths.paths.size(), 3u);
  EXPECT_EQ(ys(paths.paths[1]), (std::vector<int>{1, 2, 2, 1, 1, 1}));
  EXPECT_EQ(ys(paths.paths[2]), (std::vector<int>{2, 3, 3, 2, 2, 2}));
  for (const RowPath& path : paths.paths) EXPECT_EQ(path.back().late, 1);
}

TEST(RowPaths, NoWayNamesTheStep) {
  Defects wall;
  for (int y = 0; y < 12; ++y) wall.cells.push_back({2, y});
  EXPECT_EQ(plain_rows(4, wall, {}, {0, 0, 0, 0}).failed_step, 2);
}

TEST(Fabric, MonotoneWiresBacktrack) {
  const Fabric fabric(4, 4, {{{2, 0}, {3, 1}}, {}});
  const auto wire = fabric.find_monotone(0, 0, Side::W, {3, 3, Side::E});
  ASSERT_TRUE(wire);
  EXPECT_EQ(wire->moves, "ESESESE");
  EXPECT_FALSE(fabric.find_monotone(0, 0, Side::W, {3, 1, Side::E}));
}

TEST(Fabric, WiresAreLengthenedByDetours) {
  const Fabric fabric(3, 3, {{{1, 0}}, {}});
  const auto direct = fabric.find_between(0, 1, Side::W, {2, 1, Side::E});
  ASSERT_TRUE(direct);
  EXPECT_EQ(direct->moves, "EEE");
  EXPECT_EQ(fabric.lengthened(*direct, 2, true)->moves, "NSEEE");
  EXPECT_EQ(fabric.lengthened(*direct, 2, false)->moves, "EENSE");
  EXPECT_FALSE(fabric.lengthened(*direct, 100, true));
}

TEST(Fabric, FeedsTakeEachPortOnce) {
  Fabric fabric(3, 3, {{{1, 0}}, {}});
  Side last = Side::N;
  const auto first = fabric.find_feed(1, 1, &last);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->moves.size(), 1u);
  fabric.take(*first);
  fabric.take_port(*first, 0);
  const auto second = fabric.find_feed(1, 1, &last);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->x == first->x && second->y == first->y && second->enter == first->enter);
}

}  // namespace
}  // namespace bitgrid::mapping
