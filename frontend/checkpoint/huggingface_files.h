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
  std::vector<MappedTensor> tensors;    // file by file, as they lie there
  std::map<std::string, size_t> index;  // of `tensors`, by name
  std::vector<std::string> notes;
  uint64_t bytes = 0;

  /// nullptr: there is none of this name.
  const MappedTensor* find(const std::string& name) const {
    const auto at = index.find(name);
    return at == index.end() ? nullptr : &tensors[at->second];
  }
};

/// Throws Error for a folder without such files, a shard that is missing or malformed, a tensor that is in none or in several of them, or
/// elsewhere than the index says.
std::shared_ptr<const HfFiles> open_hf_files(const std::string& folder);

/// The tensors of a single file.
std::shared_ptr<const HfFiles> hf_files_of(std::unique_ptr<const SafetensorsMap> map);

}  // namespace bitgrid::frontend
