#include "ir/scaled_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid {
namespace {

using ::testing::HasSubstr;

TEST(PackedWeights, KeepsEveryStorageAndLength) {
  std::mt19937 random(1);
  for (const auto storage : {WeightStorage::kOneBit, WeightStorage::kTwoBits, WeightStorage::kByte}) {
    for (size_t columns = 1; columns < 300; columns += 7) {
      PackedWeights packed(2, columns, storage);
      std::vector<int8_t> row(columns), back(columns);
      for (int8_t& w : row)
        w = static_cast<int8_t>(storage == WeightStorage::kOneBit    ? static_cast<int>(random() % 2) * 2 - 1
                                : storage == WeightStorage::kTwoBits ? static_cast<int>(random() % 4) - 1
                                                                     : static_cast<int>(random() % 256) - 128);
      packed.pack(1, row);
      packed.unpack(1, back);
      ASSERT_EQ(back, row);
      for (size_t c = 0; c < columns; ++c) ASSERT_EQ(packed.at(1, c), row[c]);
    }
  }
}

TEST(CacheForms, RoundTrip) {
  const std::string text = "k=4:mean:rotated,v=2:max,recent=32";
  EXPECT_EQ(text_of(parse_cache_forms(text)), text);
  EXPECT_EQ(text_of(parse_cache_forms("")), "k=8:shift,v=8:shift,recent=0");
  EXPECT_EQ(text_of(parse_cache_forms("v=4")), "k=8:shift,v=4:max,recent=0");
}

TEST(CacheForms, SayWhatIsWrong) {
  const auto problem = [](const std::string& text) { return test::error_of([&] { parse_cache_forms(text); }); };
  EXPECT_THAT(problem("q=8"), HasSubstr("--kv: 'q=8' is neither k, v nor recent; write k=BITS"));
  EXPECT_THAT(problem("k=9"), HasSubstr("'k=9' does not begin with 1 to 8 bits"));
  EXPECT_THAT(problem("k=8:mean"), HasSubstr("`mean` is defined for 1 to 4 bits; use max or shift"));
  EXPECT_THAT(problem("k=1:shift"), HasSubstr("one bit with a shift is always 0"));
  EXPECT_THAT(problem("k=4:soft"), HasSubstr("'soft' in 'k=4:soft' is unknown"));
  EXPECT_THAT(problem("k=4,k=2"), HasSubstr("'k' is given twice"));
  EXPECT_THAT(problem("recent=-1"), HasSubstr("'recent=-1' does not give a number of positions"));
}

}  // namespace
}  // namespace bitgrid
