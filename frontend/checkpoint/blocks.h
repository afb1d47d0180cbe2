// The types of tensors in GGUF files, in one table: how many bytes each needs, and how its rows become numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// Type ids that the code names. All others are only in the table.
enum BlockId : uint32_t {
  kIdF32 = 0,
  kIdF16 = 1,
  kIdBF16 = 30,
  kIdTQ1_0 = 34,
  kIdTQ2_0 = 35,
  kIdI2_S = 36,
  kIdTL1 = 38,
  kIdTL2 = 39,
  kIdQ1_0 = 41,
  kIdQ2_0 = 42,
  kIdPQ2_0 = 142,
  kIdPTQ1_0 = 143,
};

/// A type. A row is cut into blocks of `elements` numbers, each in `bytes` bytes. In types with codes, a block is one scale (half
/// precision, at byte scale_at) and code_bytes() bytes of codes.
struct BlockType {
  uint32_t id = 0;
  const char* name = "";
  uint32_t elements = 0;  // 0: only the name is known
  uint32_t bytes = 0;
  StoredValues values = StoredValues::kFloat;  // the widest set that the codes may use
  uint32_t scale_at = 0, codes_at = 0;
  bool two_bits = false;  // codes are fields of two bits; 3 means 2, if `values` allows it
  uint32_t tail = 0;      // bytes after the blocks of a tensor, starting with its only scale, a float; blocks then have no scales

  /// Convert the codes of a block, both ways. nullptr: a type without codes.
  void (*decode)(const uint8_t* bytes, int8_t* codes) = nullptr;
  void (*encode)(const int8_t* codes, uint8_t* bytes) = nullptr;
  /// Converts consecutive blocks of types without codes to floats, and back for types that can be written.
  void (*floats)(const uint8_t* row, uint64_t blocks, float* out) = nullptr;
  void (*store)(const float* numbers, uint64_t blocks, uint8_t* row) = nullptr;

  bool known() const { return elements != 0; }
  bool has_codes() const { return values != StoredValues::kFloat; }
  uint32_t code_bytes() const { return bytes - (tail == 0 ? 2 : 0); }
};

/// Returns nullptr if the type is unknown.
const BlockType* block_type(uint32_t id);
/// Finds a type by name in any case ("q2_0"). nullptr: no such type can be written.
const BlockType* written_block_type(std::string_view name);
/// Returns the names of those, for messages: "f32, bf16, ...".
std::string written_block_types();

/// How the codes of I2_S lie in bytes. Files do not say which layout they use.
enum class I2sLayout : uint8_t { kX86 /* blocks of 128 */, kX86Rows /* four rows in a byte */, kArm /* blocks of 64 */ };
const BlockType& i2s_type(I2sLayout layout);
/// Decodes row `r` of a kX86Rows tensor of `codes.size()` columns whose codes begin at `tensor`.
void decode_i2s_rows(const uint8_t* tensor, uint64_t r, std::span<int8_t> codes);

/// Decodes a row of `out.size()` numbers, a multiple of type.elements, of a type without a tail.
void row_floats(const BlockType& type, const uint8_t* row, std::span<float> out);
/// Decodes it to codes and, unless `scales` is empty, one scale per block. Codes of a block whose scale is 0 are 0. A type with a tail has
/// no scales.
void row_codes(const BlockType& type, const uint8_t* row, std::span<int8_t> codes, std::span<float> scales);
/// Encodes the bytes of a row, for types that can be written. Scales become half precision.
void encode_row(const BlockType& type, std::span<const int8_t> codes, std::span<const float> scales, std::span<uint8_t> row);
void store_row(const BlockType& type, std::span<const float> numbers, std::span<uint8_t> row);

/// What one quick pass over rows with codes finds.
struct BlockScan {
  bool three = false;       // a field of two bits is 3
  bool finite = true;       // all scales are finite
  bool one_scale = true;    // all scales that are not 0 are the same
  bool pairs_share = true;  // two consecutive blocks always have the same scale, unless one is 0
  uint16_t scale_bits = 0;  // the first such scale, half precision; 0: none so far
};
void scan_row(const BlockType& type, const uint8_t* row, uint64_t columns, BlockScan& scan);

}  // namespace bitgrid::frontend
