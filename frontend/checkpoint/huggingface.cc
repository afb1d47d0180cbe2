#include "frontend/checkpoint/huggingface.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/checkpoint/groups.h"
#include "frontend/checkpoint/huggingface_files.h"
#include "frontend/checkpoint/huggingface_keys.h"
#include "frontend/checkpoint/huggingface_matrices.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::frontend {
namespace {

constexpr uint64_t kMaxConfig = uint64_t{1} << 24;
constexpr uint64_t kMaxTokenizer = uint64_t{1} << 28;

std::string file_of(const std::string& folder, const char* name) {
  return (folder.ends_with('/') ? folder : folder + "/") + name;
}

std::string optional_text(const std::string& path, uint64_t limit) {
  return is_there(path) ? read_file(path, limit) : "";
}

/// Templates stand in tokenizer_config.json, alone or as a list of which one is called "default", or in a file of their own.
std::string chat_template(const std::string& folder, const HfKeys& keys) {
  if (const nlohmann::json* value = keys.find("chat_template")) {
    if (value->is_string()) return value->get<std::string>();
    if (value->is_array())
      for (const nlohmann::json& one : *value)
        if (one.is_object() && one.value("name", nlohmann::json()) == "default" && one.value("template", nlohmann::json()).is_string())
          return one.at("template").get<std::string>();
  }
  return optional_text(file_of(folder, "chat_template.jinja"), kMaxConfig);
}

/// Ids that end a text: those of generation_config.json, then those of config.json.
void add_special_ids(const std::string& folder, const HfConfig& config, TokenizerSource& source) {
  std::vector<int64_t> eos;
  source.bos = config.bos;
  const std::string path = file_of(folder, "generation_config.json");
  if (is_there(path)) {
    const nlohmann::json object = parse_hf_object(read_file(path, kMaxConfig), path);
    const HfKeys keys(object, path);
    eos = hf_token_ids(keys, "eos_token_id");
    const std::vector<int64_t> bos = hf_token_ids(keys, "bos_token_id");
    if (!bos.empty()) source.bos = bos.front();
  }
  for (const int64_t id : config.eos)
    if (std::find(eos.begin(), eos.end(), id) == eos.end()) eos.push_back(id);
  if (eos.empty()) return;
  source.eos = eos.front();
  source.more_eos.assign(eos.begin() + 1, eos.end());
}

TokenizerSource read_tokenizer_source(const std::string& folder, HfConfig& config) {
  TokenizerSource source;
  const std::string json = file_of(folder, "tokenizer.json"), model = file_of(folder, "tokenizer.model"),
                    config_json = file_of(folder, "tokenizer_config.json");
  if (is_there(json)) {
    source.kind = TokenizerSource::Kind::kHuggingFace;
    source.where = json;
    source.json = read_file(json, kMaxTokenizer);
  } else if (is_there(model)) {
    source.kind = TokenizerSource::Kind::kSentencePiece;
    source.where = model;
    source.model = read_file(model, kMaxTokenizer);
  } else {
    if (is_there(file_of(folder, "vocab.json")))
      config.notes.push_back(
          "the tokenizer is not read: vocab.json and merges.txt need a tokenizer.json, which transformers writes with save_pretrained");
    else
      config.said.push_back("there is no tokenizer: neither tokenizer.json nor tokenizer.model");
  }
  if (is_there(config_json)) {
    source.config_json = read_file(config_json, kMaxTokenizer);
    const nlohmann::json object = parse_hf_object(source.config_json, config_json);
    const HfKeys keys(object, config_json);
    source.add_bos = keys.flag("add_bos_token");
    source.chat_template = chat_template(folder, keys);
  }
  add_special_ids(folder, config, source);
  return source;
}

}  // namespace

Checkpoint read_huggingface(const std::string& folder, const CheckpointParams& params) {
  const std::string config_path = file_of(folder, "config.json");
  if (!params.i2s_layout.empty()) throw Error("--i2s-layout", "only GGUF files have I2_S tensors", "leave it out");
  if (!is_there(config_path))
    throw Error(folder, "there is no config.json: this is not a Hugging Face folder",
                "give the path of a folder with config.json and safetensors, or of a GGUF file");
  HfConfig config = parse_hf_config(read_file(config_path, kMaxConfig), config_path, params);
  const std::shared_ptr<const HfFiles> files = open_hf_files(folder);
  Checkpoint checkpoint;
  checkpoint.path = folder;
  checkpoint.format = "Hugging Face folder";
  checkpoint.tensors = make_hf_tensors(*files, config);
  join_groups(checkpoint.tensors);
  checkpoint.tokenizer = read_tokenizer_source(folder, config);
  checkpoint.bytes = files->bytes;
  if (!config.graph.tied && !config.refusal && !files->find("lm_head.weight"))
    config.refusal =
        Refusal{"there is no lm_head.weight, and config.json does not say tie_word_embeddings",
                "set tie_word_embeddings of config.json to true if the head is the embedding; otherwise fetch the files again"};
  checkpoint.graph = config.graph;
  checkpoint.said = std::move(config.said);
  checkpoint.notes = std::move(config.notes);
  checkpoint.notes.insert(checkpoint.notes.end(), files->notes.begin(), files->notes.end());
  checkpoint.refusal = config.refusal;
  checkpoint.files = std::const_pointer_cast<HfFiles>(files);
  return checkpoint;
}

}  // namespace bitgrid::frontend
