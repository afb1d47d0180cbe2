// Writes safetensors files row by row, so that their tensors need not be in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "frontend/safetensors_header.h"
#include "ir/output_file.h"

namespace bitgrid::frontend {

/// A tensor to write. `row` appends the bytes of row r (of shape[0] rows, or one if it has no dimensions) to `bytes`.
struct WrittenTensor {
  std::string name;
  DType dtype = DType::kI32;
  std::vector<uint64_t> shape;
  std::function<void(uint64_t r, std::string& bytes)> row;
};

/// Appends a number, lowest byte first.
void append_little_endian(std::string& out, uint64_t value, unsigned bytes);

/// Writes the whole file; the caller finishes it. `progress` gets the bytes written so far and their total.
void write_safetensors(OutputFile& file, const std::vector<WrittenTensor>& tensors, const std::map<std::string, std::string>& metadata = {},
                       const std::function<void(uint64_t, uint64_t)>& progress = nullptr);

}  // namespace bitgrid::frontend
