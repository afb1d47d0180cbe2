#include "ir/weight_rows.h"

#include <gtest/gtest.h>

#include <random>

namespace bitgrid {
namespace {

uint64_t code_of(int weight, WeightStorage storage) {
  if (storage == WeightStorage::kOneBit) return weight > 0;
  return storage == WeightStorage::kTwoBits ? static_cast<uint64_t>(weight + 2) : static_cast<uint8_t>(weight);
}

TEST(WeightRows, CodesComeInOrderOfTheInputs) {
  std::mt19937_64 random(1);
  for (const WeightStorage storage : {WeightStorage::kOneBit, WeightStorage::kTwoBits, WeightStorage::kByte}) {
    for (const size_t columns : {1, 7, 32, 100, 133}) {
      PackedWeights weights(35, columns, storage);
      std::vector<std::vector<int8_t>> rows(35, std::vector<int8_t>(columns));
      for (size_t r = 0; r < rows.size(); ++r) {
        for (int8_t& w : rows[r]) {
          const auto any = static_cast<int>(random() % 256);
          w = static_cast<int8_t>(storage == WeightStorage::kByte      ? any - 128
                                  : storage == WeightStorage::kTwoBits ? any % 3 - 1
                                                                       : any % 2 * 2 - 1);
        }
        weights.pack(r, rows[r]);
      }
      const auto bits = static_cast<unsigned>(bits_of(storage));
      for (const bool planes : {false, true}) {
        const unsigned width = planes ? 1 : bits, each = planes ? bits : 1;
        BitMatrix to(2 + 17 * each, 3 + columns * width + 5);
        copy_weight_rows(weights, 9, 17, planes, to, 2, 3);
        for (size_t r = 0; r < 17 * each; ++r) {
          for (size_t c = 0; c < columns; ++c) {
            const uint64_t code = code_of(rows[9 + r / each][c], storage);
            ASSERT_EQ(to.get_word(2 + r, 3 + c * width, width), planes ? code >> (r % each) & 1 : code) << columns << " columns, row " << r;
          }
          ASSERT_EQ(to.get_word(2 + r, 3 + columns * width, 5), 0u) << "behind the row";
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitgrid
