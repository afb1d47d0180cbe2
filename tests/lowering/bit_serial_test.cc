#include "lowering/mapping/matrix/bit_serial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "lowering/mapping/matrix/row_end_stamps.h"

namespace bitgrid::mapping {
namespace {

/// Runs rows of input words (each `bits` wide) back to back; returns output words of `result_bits`.
std::vector<std::vector<uint64_t>> simulate(const MappedKernel& kernel, const std::vector<std::vector<uint64_t>>& rows, uint32_t bits,
                                            uint32_t result_bits) {
  BitMatrix inputs(rows.size(), kernel.input_bits);
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < rows[r].size(); ++c) inputs.set_word(r, c * bits, bits, rows[r][c]);
  }
  const BitMatrix outputs = sim::KernelSimulator(kernel).run(inputs);
  std::vector<std::vector<uint64_t>> words(rows.size());
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c + result_bits <= outputs.cols; c += result_bits) words[r].push_back(outputs.get_word(r, c, result_bits));
  }
  return words;
}

/// A strip alone: one word in, through `form`'s row end.
BitSerialForm strip(uint32_t bits) {
  BitSerialForm form;
  RowGroup group;
  group.planes.emplace_back();
  group.residual = Word{0, bits, 0, (uint64_t{1} << bits) - 1};
  form.groups.push_back(group);
  return form;
}

struct ClampCase {
  int shift, sign, width;
  bool low;
  friend void PrintTo(const ClampCase& c, std::ostream* out) {
    *out << "shift" << c.shift << "_sign" << c.sign << "_width" << c.width << (c.low ? "_low" : "");
  }
};

class Clamp : public testing::TestWithParam<ClampCase> {};

TEST_P(Clamp, SaturatesEveryWord) {
  const ClampCase& c = GetParam();
  const ClampParams params{clamp_word_slots(c.shift, c.sign, c.width), c.shift, c.sign, c.width, c.low};
  const auto bits = static_cast<uint32_t>(c.shift + c.sign + 1);
  BitSerialForm form = strip(bits);
  form.clamp = ClampForm{c.shift, c.sign, c.width, c.low};
  form.word_slots = params.word_slots;
  std::vector<std::vector<uint64_t>> words;
  for (uint64_t z = 0; z < uint64_t{1} << bits; ++z) words.push_back({z});
  std::shuffle(words.begin(), words.end(), std::mt19937(1));
  const auto got = simulate(map_bit_serial("clamp", form, bits), words, bits, static_cast<uint32_t>(c.width));
  const int64_t centre = c.low ? int64_t{1} << (c.width - 1) : 0, hi = (int64_t{1} << c.width) - 1 - centre, lo = c.low ? -hi : 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const int64_t v = (static_cast<int64_t>(words[i][0]) - clamp_bias(params)) >> c.shift;
    ASSERT_EQ(static_cast<int64_t>(got[i][0]) - centre, std::clamp(v, lo, hi)) << "word " << words[i][0] << ", v " << v;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Clamp,
                         testing::Values(ClampCase{0, 5, 4, true}, ClampCase{1, 5, 4, true}, ClampCase{3, 6, 4, true},
                                         ClampCase{2, 7, 4, false}, ClampCase{4, 3, 2, true}, ClampCase{2, 9, 8, true},
                                         ClampCase{5, 4, 2, false}, ClampCase{0, 3, 2, true}, ClampCase{3, 8, 1, false},
                                         ClampCase{1, 12, 4, false}, ClampCase{0, 13, 12, true}),
                         testing::PrintToStringParamName());

TEST(Multiplier, MultipliesByConstantsAndDropsSevenBits) {
  std::mt19937 random(2);
  for (const int m : {1, 2, 3, 85, 128, 129, 200, 255}) {
    const int k = static_cast<int>(random() % 256);
    constexpr uint32_t kBits = 12;
    BitSerialForm form = strip(kBits);
    form.multiply = true;
    form.groups[0].multiplier = m;
    form.groups[0].multiplier_constant = k;
    // A clamp that saturates nothing: the top bits tell.
    form.clamp = ClampForm{0, 14, 13, false};
    form.word_slots = clamp_word_slots(0, 14, 13);
    form.strip_constant = 0;
    std::vector<std::vector<uint64_t>> words;
    for (int i = 0; i < 200; ++i) words.push_back({random() & 0xFFF});
    const auto got = simulate(map_bit_serial("multiply", form, kBits), words, kBits, 13);
    for (size_t i = 0; i < words.size(); ++i) {
      const int64_t z = (static_cast<int64_t>(words[i][0]) * m + k) >> kMultiplierDrop;
      ASSERT_EQ(static_cast<int64_t>(got[i][0]), std::clamp<int64_t>(z - (1 << 14), 0, 8191)) << "m " << m << " u " << words[i][0];
    }
  }
}

TEST(AddConstant, ThenSign) {
  constexpr uint32_t kBits = 6;
  BitSerialForm form = strip(kBits);
  form.sign = true;
  form.strip_constant = 128 - 37;
  form.word_slots = 8;
  std::vector<std::vector<uint64_t>> words;
  for (uint64_t z = 0; z < 64; ++z) words.push_back({z * 29 % 64});
  const auto got = simulate(map_bit_serial("sign", form, kBits), words, kBits, 1);
  for (size_t i = 0; i < words.size(); ++i) EXPECT_EQ(got[i][0], words[i][0] >= 37) << words[i][0];
}

struct ArrayCase {
  int columns, rows, planes;
  bool residual;
  friend void PrintTo(const ArrayCase& c, std::ostream* out) {
    *out << c.columns << "x" << c.rows << "_planes" << c.planes << (c.residual ? "_residual" : "");
  }
};

class Array : public testing::TestWithParam<ArrayCase> {};

TEST_P(Array, RawSumsBackToBack) {
  const ArrayCase& c = GetParam();
  constexpr uint32_t kBits = 4;
  std::mt19937 random(3);
  BitSerialForm form;
  for (int i = 0; i < c.columns; ++i) form.columns.push_back({static_cast<uint32_t>(i) * kBits, kBits, static_cast<uint32_t>(i % 2), 15});
  std::vector<std::vector<int>> weights;
  for (int r = 0; r < c.rows; ++r) {
    RowGroup group;
    std::vector<int> total(static_cast<size_t>(c.columns));
    for (int p = c.planes - 1; p >= 0; --p) {
      PlaneRow row;
      row.start = 30 * c.columns + static_cast<int>(random() % 10);
      for (int i = 0; i < c.columns; ++i) {
        row.weights.push_back(static_cast<int8_t>(static_cast<int>(random() % 3) - 1));
        total[static_cast<size_t>(i)] += row.weights.back() << p;
      }
      group.planes.push_back(row);
    }
    if (c.residual) group.residual = Word{static_cast<uint32_t>(c.columns + r) * kBits, kBits, 0, 15};
    weights.push_back(total);
    form.groups.push_back(group);
  }
  form.raw_bits = form.word_slots = 7 + c.planes + 4;
  const uint32_t words_in = static_cast<uint32_t>(c.columns + (c.residual ? c.rows : 0));
  std::vector<std::vector<uint64_t>> rows(40, std::vector<uint64_t>(words_in));
  for (auto& row : rows) {
    for (uint64_t& x : row) x = random() % 4 == 0 ? 15 : random() % 16;
  }
  const auto got = simulate(map_bit_serial("array", form, words_in * kBits), rows, kBits, form.raw_bits);
  for (size_t t = 0; t < rows.size(); ++t) {
    for (size_t r = 0; r < weights.size(); ++r) {
      int64_t want = c.residual ? static_cast<int64_t>(rows[t][static_cast<size_t>(c.columns) + r]) : 0;
      for (size_t p = 0; p < form.groups[r].planes.size(); ++p)
        want += form.groups[r].planes[p].start << (form.groups[r].planes.size() - 1 - p);
      for (size_t i = 0; i < weights[r].size(); ++i) want += weights[r][i] * static_cast<int64_t>(rows[t][i] << (i % 2));
      ASSERT_EQ(static_cast<int64_t>(got[t][r]), want) << "token " << t << " row " << r;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Array,
                         testing::Values(ArrayCase{1, 1, 1, false}, ArrayCase{5, 3, 1, false}, ArrayCase{4, 4, 1, true},
                                         ArrayCase{6, 3, 2, false}, ArrayCase{3, 2, 3, true}, ArrayCase{2, 1, 4, false},
                                         ArrayCase{7, 5, 1, true}),
                         testing::PrintToStringParamName());

TEST(Array, ResidentDigitsFollowTheirBits) {
  BitSerialForm form;
  form.columns = {{0, 3, 0, 7}, {3, 3, 0, 7}};
  RowGroup group;
  PlaneRow top, bottom;
  top.residents = {{6, -1, 0}, {7, -1, 0}};
  top.start = 14;
  bottom.residents = {{8, 0, 1}, {9, 0, 1}};
  bottom.start = 5;
  group.planes = {top, bottom};
  form.groups = {group};
  form.raw_bits = form.word_slots = 8;
  const MappedKernel kernel = map_bit_serial("resident", form, 10);
  BitMatrix inputs(64, 10);
  std::mt19937 random(4);
  for (size_t r = 0; r < 64; ++r) inputs.set_word(r, 0, 10, random() & 0x3FF);
  const BitMatrix got = sim::KernelSimulator(kernel).run(inputs);
  for (size_t r = 0; r < 64; ++r) {
    int64_t want = 14 * 2 + 5;
    for (uint32_t c = 0; c < 2; ++c) {
      const int digit = 2 * (static_cast<int>(inputs.get(r, 6 + c)) - 1) + static_cast<int>(inputs.get(r, 8 + c));
      want += digit * static_cast<int64_t>(inputs.get_word(r, 3 * c, 3));
    }
    EXPECT_EQ(static_cast<int64_t>(got.get_word(r, 0, 8)), want) << r;
  }
}

}  // namespace
}  // namespace bitgrid::mapping
