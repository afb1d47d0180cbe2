#include "frontend/checkpoint/blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <random>

#include "frontend/checkpoint/half.h"

namespace bitgrid::frontend {
namespace {

using Bytes = std::vector<uint8_t>;

uint16_t load(const uint8_t* b) {
  return static_cast<uint16_t>(b[0] + 256 * b[1]);
}

/// Number `j` of a block by the description of the format, one number at a time.
struct Format {
  uint32_t id;
  uint32_t elements, bytes, scale_at;  // scale_at: of the half
  float (*number)(const uint8_t* b, unsigned j);
  friend void PrintTo(const Format& f, std::ostream* out) { *out << block_type(f.id)->name; }
};

float trit(const uint8_t* b, unsigned j) {
  const unsigned byte = j < 160 ? b[j % 32] : j < 240 ? b[32 + (j - 160) % 16] : b[48 + (j - 240) % 4];
  const unsigned n = j < 160 ? j / 32 : j < 240 ? (j - 160) / 16 : (j - 240) / 4;
  const auto rest = static_cast<uint8_t>(byte * static_cast<unsigned>(std::pow(3, n)));
  return static_cast<float>(rest * 3 / 256) - 1;
}

float q6(const uint8_t* b, unsigned j) {
  const unsigned half = j / 128, run = j % 128 / 32, l = j % 32;
  const unsigned low = b[64 * half + 32 * (run % 2) + l], high = b[128 + 32 * half + l];
  const unsigned code = (run < 2 ? low % 16 : low / 16) + 16 * (high >> 2 * run) % 64;
  return half_to_float(load(b + 208)) * static_cast<int8_t>(b[192 + j / 16]) * (static_cast<float>(code % 64) - 32);
}

const Format kFormats[] = {
    {kIdF32, 1, 4, 2, [](const uint8_t* b, unsigned) { return std::bit_cast<float>(load(b) | static_cast<uint32_t>(load(b + 2)) << 16); }},
    {kIdF16, 1, 2, 0, [](const uint8_t* b, unsigned) { return half_to_float(load(b)); }},
    {kIdBF16, 1, 2, 0, [](const uint8_t* b, unsigned) { return bfloat_to_float(load(b)); }},
    {8, 32, 34, 0, [](const uint8_t* b, unsigned j) { return half_to_float(load(b)) * static_cast<int8_t>(b[2 + j]); }},
    {2, 32, 18, 0,
     [](const uint8_t* b, unsigned j) {
       const int nibble = j < 16 ? b[2 + j] % 16 : b[2 + j - 16] / 16;
       return half_to_float(load(b)) * static_cast<float>(nibble - 8);
     }},
    {14, 256, 210, 208, q6},
    {kIdQ1_0, 128, 18, 0, [](const uint8_t* b, unsigned j) { return half_to_float(load(b)) * (b[2 + j / 8] >> j % 8 & 1 ? 1.0f : -1.0f); }},
    {kIdQ2_0, 64, 18, 0,
     [](const uint8_t* b, unsigned j) { return half_to_float(load(b)) * static_cast<float>((b[2 + j / 4] >> 2 * (j % 4) & 3) - 1); }},
    {kIdTQ1_0, 256, 54, 52, [](const uint8_t* b, unsigned j) { return half_to_float(load(b + 52)) * trit(b, j); }},
    {kIdTQ2_0, 256, 66, 64,
     [](const uint8_t* b, unsigned j) {
       const unsigned g = j / 128, l = j % 128 / 32, m = j % 32;
       return half_to_float(load(b + 64)) * static_cast<float>((b[32 * g + m] >> 2 * l & 3) - 1);
     }},
};

class Blocks : public testing::TestWithParam<Format> {
 protected:
  /// Blocks of any bytes, with a scale that is an ordinary number.
  Bytes random_row(size_t blocks) {
    const Format& f = GetParam();
    Bytes row(blocks * f.bytes);
    for (uint8_t& byte : row) byte = static_cast<uint8_t>(random_());
    for (size_t b = 0; b < blocks; ++b) row[b * f.bytes + f.scale_at + 1] = 0x2C;
    return row;
  }
  std::minstd_rand random_;
};

TEST_P(Blocks, AreWhatTheFormatSays) {
  const Format& f = GetParam();
  const BlockType* type = block_type(f.id);
  ASSERT_TRUE(type && type->elements == f.elements && type->bytes == f.bytes);
  constexpr size_t kBlocks = 37;
  const Bytes row = random_row(kBlocks);
  std::vector<float> expected, got(kBlocks * f.elements);
  for (size_t i = 0; i < got.size(); ++i)
    expected.push_back(f.number(&row[i / f.elements * f.bytes], static_cast<unsigned>(i) % f.elements));
  row_floats(*type, row.data(), got);
  EXPECT_EQ(got, expected);
}

TEST_P(Blocks, CodesTimesScalesAreTheFloats) {
  const BlockType& type = *block_type(GetParam().id);
  if (!type.has_codes()) return;
  Bytes row = random_row(3);
  row[type.bytes + type.scale_at] = row[type.bytes + type.scale_at + 1] = 0;  // the middle block: scale 0
  std::vector<int8_t> codes(3 * type.elements);
  std::vector<float> scales(3), expected(codes.size()), got;
  row_codes(type, row.data(), codes, scales);
  for (size_t i = 0; i < codes.size(); ++i) got.push_back(static_cast<float>(codes[i]) * scales[i / type.elements]);
  row_floats(type, row.data(), expected);
  EXPECT_EQ(got, expected);
  EXPECT_TRUE(std::all_of(codes.begin() + type.elements, codes.begin() + 2 * type.elements, [](int8_t c) { return c == 0; }));
}

TEST_P(Blocks, WhatIsWrittenIsRead) {
  const BlockType& type = *block_type(GetParam().id);
  const Bytes row = random_row(4);
  Bytes again(row.size());
  if (type.encode) {
    std::vector<int8_t> codes(4 * type.elements), codes_again(codes.size());
    std::vector<float> scales(4), scales_again(4);
    row_codes(type, row.data(), codes, scales);
    if (type.values == StoredValues::kTernary) std::replace(codes.begin(), codes.end(), int8_t{2}, int8_t{1});
    encode_row(type, codes, scales, again);
    row_codes(type, again.data(), codes_again, scales_again);
    EXPECT_EQ(codes_again, codes);
    EXPECT_EQ(scales_again, scales);
  } else if (type.store) {
    std::vector<float> numbers(4 * type.elements);
    row_floats(type, row.data(), numbers);
    store_row(type, numbers, again);
    EXPECT_EQ(again, row);
  }
}

INSTANTIATE_TEST_SUITE_P(Gguf, Blocks, testing::ValuesIn(kFormats), testing::PrintToStringParamName());

TEST(I2s, HasThreeLayouts) {
  Bytes tensor(128);  // 8 rows of 64, or 4 rows of 128
  std::minstd_rand random;
  for (uint8_t& byte : tensor) byte = static_cast<uint8_t>(random());
  std::vector<int8_t> x86, arm, rows, got(128);
  for (unsigned j = 0; j < 128; ++j) {
    x86.push_back(static_cast<int8_t>((tensor[32 + j % 32] >> (6 - 2 * (j / 32)) & 3) - 1));                     // second block
    arm.push_back(static_cast<int8_t>((tensor[32 + j / 64 * 16 + j % 16] >> (6 - 2 * (j % 64 / 16)) & 3) - 1));  // third and fourth
    rows.push_back(static_cast<int8_t>((tensor[j] >> (6 - 2 * 1) & 3) - 1));                                     // row 1 of 128 columns
  }
  row_codes(i2s_type(I2sLayout::kX86), &tensor[32], got, {});
  EXPECT_EQ(got, x86);
  row_codes(i2s_type(I2sLayout::kArm), &tensor[32], got, {});
  EXPECT_EQ(got, arm);
  decode_i2s_rows(tensor.data(), 1, got);
  EXPECT_EQ(got, rows);
  std::replace(x86.begin(), x86.end(), int8_t{2}, int8_t{0});
  Bytes again(32);
  encode_row(i2s_type(I2sLayout::kX86), x86, {}, again);
  row_codes(i2s_type(I2sLayout::kX86), again.data(), got, {});
  EXPECT_EQ(got, x86);
}

TEST(Tq1, EveryNumberOfFiveDigitsIsStoredAsTheFormatRounds) {
  for (int value = 0; value < 243; ++value) {
    std::vector<int8_t> codes(256);
    for (int n = 0, rest = value; n < 5; ++n, rest /= 3) codes[static_cast<size_t>(32 * (4 - n))] = static_cast<int8_t>(rest % 3 - 1);
    Bytes block(54);
    encode_row(*block_type(kIdTQ1_0), codes, std::vector<float>{1.0f}, block);
    EXPECT_EQ(block[0], (value * 256 + 242) / 243) << value;
  }
}

TEST(Scan, SeesThreesAndScales) {
  const BlockType& type = *block_type(kIdQ2_0);
  const auto scan = [&](size_t byte, uint8_t value) {
    Bytes row(3 * 18, 0b01011010);
    for (size_t b = 0; b < 3; ++b) row[18 * b] = 0, row[18 * b + 1] = 0x3C;
    row[byte] = value;
    BlockScan result;
    scan_row(type, row.data(), 192, result);
    return result;
  };
  for (size_t byte = 0; byte < 54; ++byte) {
    const bool scale = byte % 18 < 2;
    for (const uint8_t three : Bytes{0b11, 0b1100, 0b110000, 0b11000000}) EXPECT_EQ(scan(byte, three).three, !scale) << byte;
    for (const uint8_t other : Bytes{0b01101001, 0b10010110, 0b01100000}) EXPECT_FALSE(scan(byte, other).three) << byte;
    EXPECT_EQ(scan(byte, 0x2B).one_scale, !scale) << byte;
    EXPECT_EQ(scan(byte, 0x7C).finite, byte % 18 != 1) << byte;
  }
  EXPECT_TRUE(scan(19, 0x00).one_scale);  // a block of zeros
  EXPECT_EQ(scan(1, 0x00).scale_bits, 0x3C00);
}

TEST(BlockTypes, HaveNames) {
  EXPECT_EQ(written_block_types(), "f32, f16, bf16, q1_0, q2_0, tq1_0, tq2_0, i2_s");
  EXPECT_EQ(written_block_type("Q2_0"), block_type(42));
  EXPECT_EQ(written_block_type("i2_s"), block_type(36));
  EXPECT_EQ(written_block_type("q8_0"), nullptr);
  EXPECT_EQ(block_type(77), nullptr);
  EXPECT_EQ(block_type(142)->known(), false);
}

}  // namespace
}  // namespace bitgrid::frontend
