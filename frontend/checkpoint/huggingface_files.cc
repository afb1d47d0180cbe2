#include "frontend/checkpoint/huggingface_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "frontend/checkpoint/huggingface_keys.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::frontend {
namespace {

constexpr uint64_t kMaxIndex = uint64_t{1} << 26;
constexpr char kWhole[] = "model.safetensors";
constexpr char kIndex[] = "model.safetensors.index.json";

/// Where the index says that each tensor lies.
using WeightMap = std::map<std::string, std::string>;

WeightMap read_index(const std::string& path) {
  const nlohmann::json object = parse_hf_object(read_file(path, kMaxIndex), path);
  const HfKeys keys(object, path);
  const auto map = keys.object("weight_map");
  if (!map) keys.fail("weight_map", "is missing");
  WeightMap files;
  for (const auto& [tensor, file] : map->json().items()) {
    if (!file.is_string()) keys.fail("weight_map", "does not give a file for " + tensor);
    const std::string name = file.get<std::string>();
    if (name.empty() || name.find('/') != std::string::npos || !name.ends_with(".safetensors"))
      keys.fail("weight_map", fmt::format("gives \"{}\" for {}, which is not a .safetensors file of this folder", name, tensor));
    files[tensor] = name;
  }
  if (files.empty()) keys.fail("weight_map", "is empty");
  return files;
}

[[noreturn]] void fail_without_weights(const std::string& folder) {
  std::error_code ignored;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  std::string cure = "fetch the weights too, or give the path of a GGUF file";
  for (const std::string& name : names) {
    if (name.ends_with(".gguf")) cure = "this folder holds a GGUF file: give its path, " + folder + "/" + name;
    if (name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth"))
      cure = fmt::format("{} is a PyTorch file: load the model with transformers and write it again with save_pretrained", name);
  }
  throw Error(folder, fmt::format("there is neither {} nor {}", kWhole, kIndex), cure);
}

void add_file(std::unique_ptr<const SafetensorsMap> file, HfFiles& files) {
  files.maps.push_back(std::move(file));
  const SafetensorsMap& map = *files.maps.back();
  files.bytes += map.text.size();
  const size_t first = files.tensors.size();
  for (const auto& [name, entry] : map.header.entries) files.tensors.push_back({&map, name, entry});
  std::sort(
      files.tensors.begin() + static_cast<std::ptrdiff_t>(first), files.tensors.end(),
      [](const MappedTensor& a, const MappedTensor& b) { return std::pair(a.entry.begin, a.name) < std::pair(b.entry.begin, b.name); });
  for (size_t i = first; i < files.tensors.size(); ++i) {
    const auto [at, is_new] = files.index.emplace(files.tensors[i].name, i);
    if (!is_new)
      throw Error(files.tensors[i].where(), "this tensor is in " + files.tensors[at->second].map->path + ", too",
                  "remove shards of other downloads, and fetch the folder again");
  }
}

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

void check_index(const WeightMap& places, const std::string& path, HfFiles& files) {
  for (const auto& [tensor, file] : places) {
    const MappedTensor* t = files.find(tensor);
    if (!t)
      throw Error(path + ": " + tensor, fmt::format("it should be in {}, but is in none of the files", file), "fetch that file again");
    const std::string real = name_of(t->map->path);
    if (real != file)
      throw Error(path + ": " + tensor, fmt::format("it should be in {}, but is in {}", file, real),
                  "index and shards come from different downloads; fetch all of them again");
  }
  for (const MappedTensor& t : files.tensors)
    if (!places.contains(t.name))
      files.notes.push_back(fmt::format("{} is in {}, though the index does not name it", t.name, name_of(t.map->path)));
}

}  // namespace

std::shared_ptr<const HfFiles> hf_files_of(std::unique_ptr<const SafetensorsMap> map) {
  auto files = std::make_shared<HfFiles>();
  add_file(std::move(map), *files);
  return files;
}

std::shared_ptr<const HfFiles> open_hf_files(const std::string& folder) {
  auto files = std::make_shared<HfFiles>();
  const std::string whole = folder + "/" + kWhole, index = folder + "/" + kIndex;
  if (is_there(whole)) {
    if (is_there(index)) files->notes.push_back(fmt::format("{} is read, and not the shards of {}", kWhole, kIndex));
    add_file(std::make_unique<const SafetensorsMap>(whole), *files);
    return files;
  }
  if (!is_there(index)) fail_without_weights(folder);
  const WeightMap places = read_index(index);
  std::set<std::string> shards;
  for (const auto& [tensor, file] : places) shards.insert(file);
  for (const std::string& shard : shards) {
    if (!is_there(folder + "/" + shard)) throw Error(index, fmt::format("the shard {} is missing", shard), "fetch it into this folder");
    add_file(std::make_unique<const SafetensorsMap>(folder + "/" + shard), *files);
  }
  check_index(places, index, *files);
  return files;
}

}  // namespace bitgrid::frontend
