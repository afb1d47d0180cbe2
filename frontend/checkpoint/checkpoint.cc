#include "frontend/checkpoint/checkpoint.h"

#include <filesystem>
#include <fstream>

#include "frontend/checkpoint/gguf.h"
#include "frontend/checkpoint/huggingface.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::frontend {
namespace {

bool begins_with_gguf(const std::string& path) {
  char magic[4] = {};
  std::ifstream file(path, std::ios::binary);
  return is_regular_file(path) && file.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "GGUF";
}

/// Whether the name is one of a file with weights, whatever the file holds.
bool is_named_as_weights(const std::string& path) {
  return is_regular_file(path) && (path.ends_with(".gguf") || path.ends_with(".safetensors"));
}

/// The folder of a file of a Hugging Face folder; "" for other paths.
std::string folder_around(const std::string& path) {
  const std::filesystem::path file(path);
  const std::string name = file.filename().string();
  if (name != "config.json" && name != "model.safetensors.index.json" && file.extension() != ".safetensors") return "";
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  return is_regular_file(path) && is_regular_file((std::filesystem::path(folder) / "config.json").string()) ? folder : "";
}

}  // namespace

Checkpoint read_checkpoint(const std::string& path, const CheckpointParams& params) {
  if (is_folder(path)) return read_huggingface(path, params);
  if (begins_with_gguf(path)) return read_gguf(path, params);
  if (const std::string folder = folder_around(path); !folder.empty()) return read_huggingface(folder, params);
  if (is_named_as_weights(path) && path.ends_with(".gguf")) return read_gguf(path, params);
  if (is_named_as_weights(path))
    throw Error(path, "there is no config.json next to it to say what the weights are for",
                "fetch the whole folder of the model, and give its path");
  if (!is_there(path)) throw Error(path, "there is no such file or folder", "check the path");
  throw Error(path, "this is neither a GGUF file nor a Hugging Face folder",
              "give the path of a .gguf file, or of a folder with config.json and safetensors");
}

bool is_checkpoint(const std::string& path) {
  return is_folder(path) || begins_with_gguf(path) || !folder_around(path).empty() || is_named_as_weights(path);
}

}  // namespace bitgrid::frontend
