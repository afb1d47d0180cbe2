// The flat clamp of row ends among bad cells, against arithmetic: all values that may come, in random order without gaps.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/mapping/matrix/detour_plan.h"
#include "lowering/mapping/matrix/lay_plan.h"
#include "lowering/mapping/matrix/low_profile_clamp.h"

namespace bitgrid::mapping {
namespace {

struct AroundClampCase {
  const char* name;
  ClampParams clamp;
  int rows;  // of the stamp, without a delay line
  friend void PrintTo(const AroundClampCase& c, std::ostream* out) { *out << c.name; }
};

/// A word that comes from outside is clamped, behind so many columns whose weight is 0: if there are any the copy finds its own way.
BitSerialForm clamp_form(const ClampParams& p, uint32_t columns) {
  BitSerialForm form;
  const auto bits = static_cast<uint32_t>(p.shift + p.sign + 1);
  RowGroup group;
  group.planes.emplace_back();
  group.residual = Word{0, bits, 0, (uint64_t{1} << bits) - 1};
  for (uint32_t c = 0; c < columns; ++c) form.columns.push_back(Word{bits + c, 1, 0, 1});
  group.planes[0].weights.assign(columns, 0);
  form.groups = {group, group};
  form.clamp = ClampForm{p.shift, p.sign, p.width, p.low};
  form.word_slots = p.word_slots;
  return form;
}

uint64_t clamped(const ClampParams& p, uint64_t z) {
  const int64_t code = static_cast<int64_t>(z >> p.shift) - (int64_t{1} << p.sign);
  return static_cast<uint64_t>(std::clamp<int64_t>(code, p.low ? 1 : 0, (int64_t{1} << p.width) - 1));
}

/// |v| + centre < 2^h, see ClampParams.
bool may_come(const ClampParams& p, uint64_t z) {
  const int64_t centre = p.low ? int64_t{1} << (p.width - 1) : 0, half = int64_t{1} << p.sign;
  const int64_t v = static_cast<int64_t>(z >> p.shift) - half - centre;
  return std::abs(v) + centre < half;
}

class FlatClampCases : public testing::TestWithParam<AroundClampCase> {
 protected:
  static MappedKernel check(uint32_t columns, const Defects& defects) {
    const ClampParams& p = GetParam().clamp;
    const BitSerialForm form = clamp_form(p, columns);
    std::vector<uint64_t> values;
    for (uint64_t z = 0; z >> (p.shift + p.sign + 1) == 0; ++z) {
      if (may_come(p, z)) values.push_back(z);
    }
    std::shuffle(values.begin(), values.end(), std::mt19937_64(3));
    const auto bits = static_cast<uint32_t>(p.shift + p.sign + 1), width = static_cast<uint32_t>(p.width);
    BitMatrix inputs(values.size(), bits + columns), expected(values.size(), 2 * width);
    for (size_t r = 0; r < values.size(); ++r) {
      inputs.set_word(r, 0, bits, values[r]);
      for (const uint32_t strip : {0u, width}) expected.set_word(r, strip, width, clamped(p, values[r]));
    }
    const MappedKernel kernel = lay_plan("k", form, static_cast<uint32_t>(inputs.cols), detour_plan("k", form, defects));
    verify(kernel);
    EXPECT_EQ(kernel.ii, p.word_slots);
    sim::KernelSimulatorParams params;
    params.defects = defects;
    EXPECT_EQ(sim::KernelSimulator(kernel, params).run(inputs), expected);
    return kernel;
  }
};

TEST_P(FlatClampCases, WithItsDelayLine) {
  check(0, {});
}

TEST_P(FlatClampCases, WithACopyFromTheCorner) {
  check(1, {});
}

// The rows go around a wall and come back north, so that there are cells between the strips and the south border.
TEST_P(FlatClampCases, AboveTheSouthBorder) {
  Defects defects;
  for (int y = 0; y < 12; ++y) defects.cells.push_back({4, y});
  const MappedKernel kernel = check(30, defects);
  EXPECT_EQ(kernel.grid.height, 14);
}

TEST_P(FlatClampCases, Rows) {
  EXPECT_EQ(flat_clamp(GetParam().clamp, false).stamp.rows, GetParam().rows);
}

INSTANTIATE_TEST_SUITE_P(
    Clamps, FlatClampCases,
    testing::Values(AroundClampCase{"FromZeroUp", {11, 2, 5, 3, false}, 4}, AroundClampCase{"FromZeroUpTight", {10, 4, 5, 3, false}, 4},
                    AroundClampCase{"OneBit", {8, 2, 5, 1, false}, 4}, AroundClampCase{"LowEndFromZeros", {10, 2, 5, 3, true}, 4},
                    AroundClampCase{"LowEndFromHold", {9, 3, 5, 2, true}, 4}, AroundClampCase{"LowEndLane", {9, 4, 4, 3, true}, 5},
                    AroundClampCase{"NoShift", {9, 0, 4, 3, true}, 4}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace bitgrid::mapping
