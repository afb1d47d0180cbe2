// Mapped safetensors files of checkpoints. Tensors of every type are read as floats in place.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "frontend/checkpoint/mapped_file.h"
#include "frontend/safetensors_header.h"

namespace bitgrid::frontend {

struct SafetensorsMap {
  /// Throws Error (file, tensor, cure), like parse_safetensors_header.
  explicit SafetensorsMap(const std::string& file, DTypes dtypes = DTypes::kAll);
  /// The same for bytes that are in memory and stay there; `file` is only for messages.
  SafetensorsMap(std::string_view bytes, const std::string& file, DTypes dtypes = DTypes::kAll);

  std::string path;
  std::shared_ptr<const MappedFile> mapped;  // nullptr: bytes in memory
  std::string_view text;                     // the whole file
  SafetensorsHeader header;
};

/// A tensor of a mapped file. The file must outlive it.
struct MappedTensor {
  const SafetensorsMap* map = nullptr;
  std::string name;
  SafetensorsEntry entry;

  const DTypeInfo& type() const { return dtype_info(entry.dtype); }
  /// Returns how many numbers it has.
  uint64_t count() const { return (entry.end - entry.begin) / type().bytes; }
  std::string_view bytes() const { return map->text.substr(map->header.data + entry.begin, entry.end - entry.begin); }
  /// "FILE: tensor NAME".
  std::string where() const { return map->path + ": tensor " + name; }

  /// Reads numbers from index `first` on, rounded to what `out` holds. Throws Error for the 8-bit float types.
  void read(uint64_t first, std::span<float> out) const;
  void read(uint64_t first, std::span<double> out) const;
  /// Returns the tensor's pages to the system.
  void release() const;
};

}  // namespace bitgrid::frontend
