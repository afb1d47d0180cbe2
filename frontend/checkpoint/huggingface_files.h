// The safetensors files of a Hugging Face folder as one set of tensors: model.safetensors, or shards and their index.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frontend/checkpoint/safetensors_map.h"

namespace bitgrid::frontend {

struct HfFiles {
  std::vector<std::unique_ptr<const SafetensorsMap>> maps;
  std::vector<MappedTensor> tensors;    // file by file, in the order of the file
  std::map<std::string, size_t> index;  // of `tensors`, by name
  std::vector<std::string> notes;
  uint64_t bytes = 0;

  /// Returns nullptr if there is none of this name.
  const MappedTensor* find(const std::string& name) const {
    const auto at = index.find(name);
    return at == index.end() ? nullptr : &tensors[at->second];
  }
};

/// Throws Error if the folder has no such files, if a shard is missing or malformed, or if a tensor is in none or several of them, or in
/// another one than the index says.
std::shared_ptr<const HfFiles> open_hf_files(const std::string& folder);

/// Returns the tensors of a single file.
std::shared_ptr<const HfFiles> hf_files_of(std::unique_ptr<const SafetensorsMap> map);

}  // namespace bitgrid::frontend
