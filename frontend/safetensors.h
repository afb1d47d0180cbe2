// safetensors files of integers, completely in memory. They hold the weights of our own models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frontend/safetensors_header.h"

namespace bitgrid::frontend {

struct StoredTensor {
  std::string name;
  DType dtype = DType::kI32;
  std::vector<uint64_t> shape;
  std::vector<int64_t> values;  // row-major

  bool operator==(const StoredTensor&) const = default;
};

/// A file that was read: the header, and the bytes from which tensors are decoded on request.
struct Safetensors : SafetensorsHeader {
  std::string path;
  std::string bytes;  // of the whole file
};

/// Throws Error (file, tensor, cure) for truncated files, bad headers, float tensors, and offsets that do not match shape and file, overlap
/// or leave holes.
Safetensors read_safetensors(const std::string& path);

/// The same from memory; `path` is only for messages.
Safetensors parse_safetensors(std::string bytes, const std::string& path);

/// Decodes one tensor of the file. It must exist.
StoredTensor tensor(const Safetensors& file, const std::string& name);

/// Returns the bytes of a file with these tensors, in this order. Throws Error for a value that its dtype cannot hold, or for a wrong
/// number of values.
std::string print_safetensors(const std::vector<StoredTensor>& tensors);

/// Writes them under a temporary name, then renames the file.
void write_safetensors(const std::string& path, const std::vector<StoredTensor>& tensors);

/// Returns the index of element `i` of a row-major tensor: "[1, 2]".
std::string index_text(const std::vector<uint64_t>& shape, uint64_t i);

}  // namespace bitgrid::frontend
