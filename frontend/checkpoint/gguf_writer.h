// Writes GGUF files of version 3: tensors come row by row, so that a file may be larger than memory.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "frontend/checkpoint/blocks.h"

namespace bitgrid::frontend {

using GgufWrittenValue =
    std::variant<uint32_t, uint64_t, float, bool, std::string, std::vector<std::string>, std::vector<float>, std::vector<int32_t>>;

/// A tensor to write. Rows are asked for once each, in order, in one thread.
struct GgufWrittenTensor {
  std::string name;
  const BlockType* type = nullptr;  // one that can be written: written_block_type(NAME)
  std::vector<uint64_t> shape;      // outermost first, one or two sizes
  /// Row `r` of a type without codes.
  std::function<void(uint64_t r, std::span<float> row)> floats;
  /// Row `r` of a type with codes: these, and the scales of its blocks, which become half precision. I2_S: one scale, the same for all
  /// rows.
  std::function<void(uint64_t r, std::span<int8_t> codes, std::span<float> scales)> codes;
};

struct GgufContents {
  std::vector<std::pair<std::string, GgufWrittenValue>> metadata;
  std::vector<GgufWrittenTensor> tensors;
  uint32_t alignment = 32;  // other than 32: is written as general.alignment
};

/// The file, as OutputFile writes it: whole or not at all. Throws Error for rows that cannot be cut into blocks, for codes that the type
/// does not have, and for I2_S with several scales; whatever the functions throw passes through.
void write_gguf(const std::string& path, const GgufContents& contents);
/// The same bytes, for small files.
std::string print_gguf(const GgufContents& contents);

}  // namespace bitgrid::frontend
