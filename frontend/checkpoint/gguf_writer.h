// Writes GGUF files of version 3, row by row, so that a file may be larger than memory.
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

/// A tensor to write. Rows are requested once each, in order, from one thread.
struct GgufWrittenTensor {
  std::string name;
  const BlockType* type = nullptr;  // one that can be written: written_block_type(NAME)
  std::vector<uint64_t> shape;      // outermost first, one or two sizes
  /// Gives row `r` of a type without codes.
  std::function<void(uint64_t r, std::span<float> row)> floats;
  /// Gives row `r` of a type with codes: the codes and the scales of its blocks, which become half precision. I2_S has one scale, the same
  /// for all rows.
  std::function<void(uint64_t r, std::span<int8_t> codes, std::span<float> scales)> codes;
};

struct GgufContents {
  std::vector<std::pair<std::string, GgufWrittenValue>> metadata;
  std::vector<GgufWrittenTensor> tensors;
  uint32_t alignment = 32;  // any value other than 32 is written as general.alignment
};

/// Writes the file with OutputFile, completely or not at all. Throws Error if rows cannot be cut into blocks, if the type does not have a
/// code, and for I2_S with several scales. Exceptions of the functions pass through.
void write_gguf(const std::string& path, const GgufContents& contents);
/// Returns the same bytes, for small files.
std::string print_gguf(const GgufContents& contents);

}  // namespace bitgrid::frontend
