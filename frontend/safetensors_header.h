// The header of safetensors files: an 8-byte little-endian length, a JSON text of that length, then the tensors' bytes without gaps. This
// is the only reader of it. safetensors.h uses it for files of integers, checkpoint/safetensors_map.h for mapped checkpoints.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bitgrid::frontend {

/// Number types. The first five are those of our own models.
enum class DType : uint8_t { kI8, kU8, kI16, kI32, kI64, kBool, kU16, kU32, kU64, kF16, kBF16, kF32, kF64, kF8E4M3, kF8E5M2, kF8E8M0 };

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  unsigned bytes;
  bool is_signed;
  bool is_float;
};

const DTypeInfo& dtype_info(DType dtype);

struct SafetensorsEntry {
  DType dtype = DType::kI32;
  std::vector<uint64_t> shape;  // row-major
  uint64_t begin = 0;           // bytes from the start of the data
  uint64_t end = 0;
};

struct SafetensorsHeader {
  uint64_t data = 0;  // where the tensors' bytes begin
  std::map<std::string, SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;  // the texts of __metadata__
};

/// The types that a file may have.
enum class DTypes : uint8_t { kIntegers /* I8, U8, I16, I32, I64 */, kAll };

/// Reads the header of a file whose complete contents are `bytes`; `path` is only for messages. Throws Error (file, tensor, cure) for
/// truncated files, bad headers, types that are not in `dtypes`, and offsets that do not match shape and file, overlap or leave holes.
SafetensorsHeader parse_safetensors_header(std::string_view bytes, const std::string& path, DTypes dtypes);

/// Returns the number with these bytes, lowest first; at most 8 bytes.
uint64_t little_endian(std::string_view bytes);

/// Returns "[3, 4]".
std::string shape_text(const std::vector<uint64_t>& shape);

}  // namespace bitgrid::frontend
