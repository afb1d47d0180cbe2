#include "frontend/checkpoint/blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "frontend/checkpoint/block_codes.h"
#include "frontend/checkpoint/half.h"

namespace bitgrid::frontend {
namespace {

static_assert(std::endian::native == std::endian::little, "files are copied into floats as they are");

uint16_t load16(const uint8_t* bytes) {
  return static_cast<uint16_t>(bytes[0] | bytes[1] << 8);
}

void store16(uint16_t value, uint8_t* bytes) {
  bytes[0] = static_cast<uint8_t>(value & 0xFFu);
  bytes[1] = static_cast<uint8_t>(value >> 8);
}

void floats_f32(const uint8_t* row, uint64_t count, float* out) {
  std::memcpy(out, row, 4 * count);
}
void store_f32(const float* numbers, uint64_t count, uint8_t* row) {
  std::memcpy(row, numbers, 4 * count);
}

/// Numbers of 16 bits as floats. Runs of constant length, copied first: the compiler makes vector code of that.
template <float (*convert)(uint16_t)>
void floats_of_16(const uint8_t* row, uint64_t count, float* out) {
  constexpr uint64_t kRun = 32;
  uint16_t bits[kRun];
  uint64_t i = 0;
  for (; i + kRun <= count; i += kRun) {
    std::memcpy(bits, row + 2 * i, sizeof bits);
    for (uint64_t j = 0; j < kRun; ++j) out[i + j] = convert(bits[j]);
  }
  for (; i < count; ++i) out[i] = convert(load16(row + 2 * i));
}

void store_f16(const float* numbers, uint64_t count, uint8_t* row) {
  for (uint64_t i = 0; i < count; ++i) store16(float_to_half(numbers[i]), row + 2 * i);
}

void store_bf16(const float* numbers, uint64_t count, uint8_t* row) {
  for (uint64_t i = 0; i < count; ++i) store16(float_to_bfloat(numbers[i]), row + 2 * i);
}

/// A row of blocks, by a function of one.
template <void (*block_floats)(const uint8_t*, float*), uint64_t elements, uint64_t bytes>
void floats_of_blocks(const uint8_t* row, uint64_t blocks, float* out) {
  for (uint64_t b = 0; b < blocks; ++b) block_floats(row + b * bytes, out + b * elements);
}

void block_q8_0(const uint8_t* block, float* out) {
  const float scale = half_to_float(load16(block));
  for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(static_cast<int8_t>(block[2 + j])) * scale;
}

void block_q4_0(const uint8_t* block, float* out) {
  const float scale = half_to_float(load16(block));
  for (int j = 0; j < 16; ++j) {
    out[j] = static_cast<float>((block[2 + j] & 15) - 8) * scale;
    out[j + 16] = static_cast<float>((block[2 + j] >> 4) - 8) * scale;
  }
}

/// Low four bits of 256 numbers in 128 bytes, high two in 64, a scale of 16 numbers in 16, and the scale of these. Each half of the numbers
/// is four runs of 32: low nibbles of 32 bytes, of the next 32, and their high nibbles; with bits 0, 2, 4, 6 of the high bytes.
void block_q6_k(const uint8_t* block, float* out) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  const float scale = half_to_float(load16(block + 208));
  for (int half = 0; half < 2; ++half) {
    for (int run = 0; run < 4; ++run) {
      for (int l = 0; l < 32; ++l) {
        const int nibble = low[64 * half + 32 * (run % 2) + l] >> (run < 2 ? 0 : 4) & 15;
        const int code = (nibble | (high[32 * half + l] >> 2 * run & 3) << 4) - 32;
        const int inner = static_cast<int8_t>(scales[8 * half + 2 * run + l / 16]);
        out[128 * half + 32 * run + l] = scale * static_cast<float>(inner) * static_cast<float>(code);
      }
    }
  }
}

constexpr StoredValues kBinary = StoredValues::kBinary, kTernary = StoredValues::kTernary, kInt2 = StoredValues::kInt2;

// Rows: id, name, numbers and bytes of a block; with codes: which, where scale and codes lie, fields of two bits, tail, both functions.
constexpr BlockType kI2sX86 = {kIdI2_S, "I2_S", 128, 32, kTernary, 0, 0, true, 32, decode_i2s_x86, encode_i2s_x86};
constexpr BlockType kI2sArm = {kIdI2_S, "I2_S", 64, 16, kTernary, 0, 0, true, 32, decode_i2s_arm, encode_i2s_arm};
// A row takes a quarter of its columns in bytes, as far as sizes go.
constexpr BlockType kI2sRows = {kIdI2_S, "I2_S", 4, 1, kTernary, 0, 0, true, 32, nullptr, nullptr};

constexpr BlockType floats_only(uint32_t id, const char* name, uint32_t elements, uint32_t bytes,
                                void (*floats)(const uint8_t*, uint64_t, float*),
                                void (*store)(const float*, uint64_t, uint8_t*) = nullptr) {
  return {id, name, elements, bytes, StoredValues::kFloat, 0, 0, false, 0, nullptr, nullptr, floats, store};
}

constexpr BlockType kBlockTypes[] = {
    floats_only(kIdF32, "F32", 1, 4, floats_f32, store_f32),
    floats_only(kIdF16, "F16", 1, 2, floats_of_16<half_to_float>, store_f16),
    floats_only(kIdBF16, "BF16", 1, 2, floats_of_16<bfloat_to_float>, store_bf16),
    floats_only(8, "Q8_0", 32, 34, floats_of_blocks<block_q8_0, 32, 34>),
    floats_only(2, "Q4_0", 32, 18, floats_of_blocks<block_q4_0, 32, 18>),
    floats_only(14, "Q6_K", 256, 210, floats_of_blocks<block_q6_k, 256, 210>),
    {kIdQ1_0, "Q1_0", 128, 18, kBinary, 0, 2, false, 0, decode_q1_0, encode_q1_0},
    {kIdQ2_0, "Q2_0", 64, 18, kInt2, 0, 2, true, 0, decode_q2_0, encode_q2_0},
    {kIdTQ1_0, "TQ1_0", 256, 54, kTernary, 52, 0, false, 0, decode_tq1_0, encode_tq1_0},
    {kIdTQ2_0, "TQ2_0", 256, 66, kTernary, 64, 0, true, 0, decode_tq2_0, encode_tq2_0},
    kI2sX86,
    // Only named.
    {3, "Q4_1"},
    {6, "Q5_0"},
    {7, "Q5_1"},
    {9, "Q8_1"},
    {10, "Q2_K"},
    {11, "Q3_K"},
    {12, "Q4_K"},
    {13, "Q5_K"},
    {15, "Q8_K"},
    {16, "IQ2_XXS"},
    {17, "IQ2_XS"},
    {18, "IQ3_XXS"},
    {19, "IQ1_S"},
    {20, "IQ4_NL"},
    {21, "IQ3_S"},
    {22, "IQ2_S"},
    {23, "IQ4_XS"},
    {24, "I8"},
    {25, "I16"},
    {26, "I32"},
    {27, "I64"},
    {28, "F64"},
    {29, "IQ1_M"},
    {kIdTL1, "TL1"},
    {kIdTL2, "TL2 (of bitnet.cpp) or MXFP4 (of llama.cpp)"},
    {40, "NVFP4"},
    {kIdPQ2_0, "PQ2_0"},
    {kIdPTQ1_0, "PTQ1_0"},
};

/// Whether a field of two bits in these bytes is 3.
bool any_three(const uint8_t* bytes, uint32_t count) {
  uint64_t found = 0;
  for (; count >= 8; bytes += 8, count -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, 8);
    found |= word & word >> 1;
  }
  for (; count > 0; ++bytes, --count) found |= static_cast<uint64_t>(*bytes & *bytes >> 1);
  return (found & 0x5555555555555555u) != 0;
}

}  // namespace

const BlockType* block_type(uint32_t id) {
  const auto* found = std::find_if(std::begin(kBlockTypes), std::end(kBlockTypes), [&](const BlockType& t) { return t.id == id; });
  return found == std::end(kBlockTypes) ? nullptr : found;
}

const BlockType* written_block_type(std::string_view name) {
  const auto same = [](char a, char b) { return a == (b >= 'a' && b <= 'z' ? b - 'a' + 'A' : b); };
  for (const BlockType& type : kBlockTypes) {
    const std::string_view own = type.name;
    if ((type.encode || type.store) && std::equal(own.begin(), own.end(), name.begin(), name.end(), same)) return &type;
  }
  return nullptr;
}

std::string written_block_types() {
  std::string names;
  for (const BlockType& type : kBlockTypes) {
    if (!type.encode && !type.store) continue;
    if (!names.empty()) names += ", ";
    for (const char c : std::string_view(type.name)) names += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return names;
}

const BlockType& i2s_type(I2sLayout layout) {
  return layout == I2sLayout::kX86 ? kI2sX86 : layout == I2sLayout::kArm ? kI2sArm : kI2sRows;
}

void decode_i2s_rows(const uint8_t* tensor, uint64_t r, std::span<int8_t> codes) {
  const uint8_t* __restrict bytes = tensor + r / 4 * codes.size();
  int8_t* __restrict out = codes.data();
  const auto shift = static_cast<int>(6 - 2 * (r % 4));
  for (uint64_t c = 0; c < codes.size(); ++c) out[c] = static_cast<int8_t>((bytes[c] >> shift & 3) - 1);
}

void row_floats(const BlockType& type, const uint8_t* row, std::span<float> out) {
  if (!type.has_codes()) {
    type.floats(row, out.size() / type.elements, out.data());
    return;
  }
  std::array<int8_t, 256> codes;
  for (size_t at = 0; at < out.size(); at += type.elements, row += type.bytes) {
    const float scale = half_to_float(load16(row + type.scale_at));
    type.decode(row + type.codes_at, codes.data());
    for (size_t j = 0; j < type.elements; ++j) out[at + j] = static_cast<float>(codes[j]) * scale;
  }
}

void row_codes(const BlockType& type, const uint8_t* row, std::span<int8_t> codes, std::span<float> scales) {
  size_t block = 0;
  for (size_t at = 0; at < codes.size(); at += type.elements, row += type.bytes) {
    type.decode(row + type.codes_at, codes.data() + at);
    if (type.tail != 0) continue;
    const float scale = half_to_float(load16(row + type.scale_at));
    if (scale == 0.0f) std::fill_n(codes.data() + at, type.elements, int8_t{0});
    if (!scales.empty()) scales[block++] = scale;
  }
}

void encode_row(const BlockType& type, std::span<const int8_t> codes, std::span<const float> scales, std::span<uint8_t> row) {
  uint8_t* block = row.data();
  size_t n = 0;
  for (size_t at = 0; at < codes.size(); at += type.elements, block += type.bytes) {
    type.encode(codes.data() + at, block + type.codes_at);
    if (type.tail == 0) store16(float_to_half(scales[n++]), block + type.scale_at);
  }
}

void store_row(const BlockType& type, std::span<const float> numbers, std::span<uint8_t> row) {
  type.store(numbers.data(), numbers.size() / type.elements, row.data());
}

void scan_row(const BlockType& type, const uint8_t* row, uint64_t columns, BlockScan& scan) {
  const uint32_t code_bytes = type.code_bytes();
  uint16_t before = 0;
  for (uint64_t at = 0; at < columns; at += type.elements, row += type.bytes) {
    if (type.two_bits && any_three(row + type.codes_at, code_bytes)) scan.three = true;
    if (type.tail != 0) continue;
    const uint16_t bits = load16(row + type.scale_at);
    if (at / type.elements % 2 == 1 && bits != before && (bits & 0x7FFFu) != 0 && (before & 0x7FFFu) != 0) scan.pairs_share = false;
    before = bits;
    if ((bits & 0x7FFFu) == 0) continue;
    if ((bits & 0x7C00u) == 0x7C00u) scan.finite = false;
    if (scan.scale_bits == 0) scan.scale_bits = bits;
    if (bits != scan.scale_bits) scan.one_scale = false;
  }
}

}  // namespace bitgrid::frontend
