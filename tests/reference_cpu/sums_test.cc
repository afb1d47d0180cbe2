#include "reference_cpu/scaled/sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "tests/support/errors.h"

namespace bitgrid::cpu {
namespace {

constexpr std::array kStorages = {WeightStorage::kOneBit, WeightStorage::kTwoBits, WeightStorage::kByte};

int8_t random_weight(WeightStorage storage, std::mt19937& random) {
  const auto draw = static_cast<int>(random() % 256);
  return static_cast<int8_t>(storage == WeightStorage::kOneBit    ? draw % 2 * 2 - 1
                             : storage == WeightStorage::kTwoBits ? draw % 4 - 1
                                                                  : draw - 128);
}

constexpr size_t kSumRows = 19;  // the second tile is not full

std::vector<Codes> random_codes(size_t inputs, size_t vectors, int most, std::mt19937& random) {
  std::vector<Codes> codes;
  for (size_t v = 0; v < vectors; ++v) {
    std::vector<int64_t> values(inputs);
    for (int64_t& x : values) x = static_cast<int64_t>(random() % static_cast<unsigned>(2 * most + 1)) - most;
    codes.push_back(make_codes(values, {}));
  }
  return codes;
}

/// All implementations that this processor has.
void expect_equal(const PackedWeights& weights, std::span<const Codes> codes, size_t group) {
  std::vector<int32_t> expected;
  for (const SumImplementation& s : sum_implementations()) {
    if (!s.available()) continue;
    const SumPlan plan = plan_sums(codes, group, weights.storage(), s);
    std::vector<int32_t> tiles(weights.tiles() * plan.tile_sums());
    tile_sums(weights, 0, weights.tiles(), plan, tiles.data());
    std::vector<int32_t> got;  // of rows that are there
    for (size_t i = 0; i < tiles.size(); ++i)
      if (i / plan.tile_sums() * kTileRows + i % kTileRows < weights.rows()) got.push_back(tiles[i]);
    if (expected.empty()) expected = got;  // the first is the definition
    ASSERT_EQ(got, expected) << s.name << ", " << weights.columns() << " inputs, groups of " << group;
  }
}

TEST(Sums, AllAreThoseOfTheDefinition) {
  std::mt19937 random(1);
  for (const WeightStorage storage : kStorages) {
    for (size_t inputs = 1; inputs < 400; inputs += random() % 19 + 1) {
      PackedWeights weights(kSumRows, inputs, storage);
      std::vector<int8_t> row(inputs);
      for (size_t r = 0; r < kSumRows; ++r) {
        for (int8_t& w : row) w = random_weight(storage, random);
        weights.pack(r, row);
      }
      for (const int most : {127, 511}) {
        const std::vector<Codes> codes = random_codes(inputs, random() % 20 + 1, most, random);
        for (const size_t group : {size_t{0}, size_t{5}, size_t{32}, size_t{64}, size_t{128}}) expect_equal(weights, codes, group);
      }
    }
  }
}

/// Sums of 16 bits wrap here in other programs.
TEST(Sums, LargestSumsDoNotWrap) {
  for (const WeightStorage storage : kStorages) {
    constexpr size_t kInputs = kMostInputs;
    PackedWeights weights(2, kInputs, storage);
    const int8_t largest = storage == WeightStorage::kOneBit ? int8_t{1} : storage == WeightStorage::kTwoBits ? int8_t{2} : int8_t{-128};
    weights.pack(0, std::vector<int8_t>(kInputs, largest));
    weights.pack(1, std::vector<int8_t>(kInputs, -1));
    for (const int64_t code : {127, -127, 511, -511})
      for (const size_t vectors : {1, 16})
        expect_equal(weights, std::vector<Codes>(vectors, make_codes(std::vector<int64_t>(kInputs, code), {})), 0);
  }
}

TEST(Sums, GroupScalesAreThoseOfTheDefinition) {
  std::mt19937 random(1);
  const auto number = [&](int bits) { return static_cast<int32_t>(random() % (1U << bits)) - (1 << (bits - 1)); };
  for (size_t groups = 1; groups < 30; ++groups) {
    std::vector<int16_t> scales(groups * kTileRows), by_group(scales.size());
    std::vector<int32_t> sums(scales.size());
    std::vector<uint8_t> shifts(groups);
    for (int16_t& s : scales) s = static_cast<int16_t>(number(16));
    for (int32_t& s : sums) s = number(31);
    for (uint8_t& s : shifts) s = static_cast<uint8_t>(random() % 10);
    for (const uint8_t* shift : {shifts.data(), static_cast<uint8_t*>(nullptr)}) {
      std::vector<int64_t> expected(kTileRows, 7);
      for (size_t r = 0; r < kTileRows; ++r)
        for (size_t g = 0; g < groups; ++g)
          expected[r] += int64_t{scales[r * groups + g]} * sums[g * kTileRows + r] * (int64_t{1} << (shift == nullptr ? 0 : shift[g]));
      for (const SumImplementation& s : sum_implementations()) {
        if (!s.available()) continue;
        std::vector<int64_t> got(kTileRows, 7);
        s.by_group(scales.data(), groups, by_group.data());
        s.add_groups({sums.data(), by_group.data(), shift, groups}, got.data());
        ASSERT_EQ(got, expected) << s.name << ", " << groups << " groups";
      }
    }
  }
}

TEST(Sums, AreChosenByName) {
  EXPECT_STREQ(find_sums("scalar").name, "scalar");
  EXPECT_THAT(test::error_of([] { return find_sums("mmx").name; }),
              ::testing::HasSubstr("BITGRID_CPU: 'mmx' is unknown, or this processor does not have it; choose one of definition, scalar"));
}

}  // namespace
}  // namespace bitgrid::cpu
