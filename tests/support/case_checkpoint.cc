#include "tests/support/case_checkpoint.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "frontend/checkpoint/half.h"
#include "frontend/checkpoint/mapped_file.h"
#include "frontend/safetensors_header.h"

namespace bitgrid::test {

using namespace frontend;

namespace {

struct CaseFile {
  explicit CaseFile(const std::string& path) : map(path), header(parse_safetensors_header(map.text(), path, DTypes::kAll)) {}
  MappedFile map;
  SafetensorsHeader header;

  const uint8_t* bytes(const std::string& name) const {
    return reinterpret_cast<const uint8_t*>(map.text().data()) + header.data + header.entries.at(name).begin;
  }
  float number(const std::string& name, size_t i) const {
    uint16_t bits = 0;
    std::memcpy(&bits, bytes(name) + 2 * i, 2);
    return header.entries.at(name).dtype == DType::kBF16 ? bfloat_to_float(bits) : half_to_float(bits);
  }
};

CheckpointTensor floats_of(const CaseFile& file, const std::string& name) {
  CheckpointTensor t;
  t.stored = "BF16";
  t.shape = file.header.entries.at(name).shape;
  t.floats = [&file, name, columns = t.columns()](uint64_t r, std::span<float> row) {
    for (size_t c = 0; c < columns; ++c) row[c] = file.number(name, r * columns + c);
  };
  return t;
}

/// Byte row b, bits 2 i: row i * out / 4 + b.
CheckpointTensor packed_ternary(const CaseFile& file, const std::string& name) {
  CheckpointTensor t;
  const auto& shape = file.header.entries.at(name).shape;
  t.stored = "U8, four ternary digits per byte";
  t.shape = {shape[0] * 4, shape[1]};
  t.values = StoredValues::kTernary;
  t.sharing = ScaleSharing::kTensor;
  t.tensor_scale = static_cast<double>(file.number(name + "_scale", 0));
  t.codes = [&file, name, quarter = shape[0], columns = shape[1]](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    const uint8_t* row = file.bytes(name) + r % quarter * columns;
    for (size_t c = 0; c < columns; ++c) codes[c] = static_cast<int8_t>((row[c] >> (2 * (r / quarter)) & 3) - 1);
    scales[0] = file.number(name + "_scale", 0);
  };
  return t;
}

/// Bit c % 8 of byte c / 8: 1 is +; a scale for each group of inputs in NAME.group_scale.
CheckpointTensor grouped_binary(const CaseFile& file, const std::string& name, uint64_t group) {
  CheckpointTensor t;
  const auto& shape = file.header.entries.at(name).shape;
  t.stored = "U8, a bit a weight";
  t.shape = {shape[0], shape[1] * 8};
  t.values = StoredValues::kBinary;
  t.sharing = ScaleSharing::kGroup;
  t.group = group;
  t.codes = [&file, group, name, columns = shape[1] * 8](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    const uint8_t* row = file.bytes(name) + r * (columns / 8);
    for (size_t c = 0; c < columns; ++c) codes[c] = static_cast<int8_t>((row[c / 8] >> (c % 8) & 1) * 2 - 1);
    const std::string scale = name.substr(0, name.rfind('.')) + ".group_scale";
    for (size_t g = 0; g < columns / group; ++g) scales[g] = file.number(scale, r * (columns / group) + g);
  };
  return t;
}

GraphConfig graph_of(const nlohmann::json& c) {
  GraphConfig g;
  g.architecture = c.contains("group_size") ? "qwen3" : "bitnet";
  g.width = c.at("hidden_size");
  g.layers = c.at("num_hidden_layers");
  g.heads = c.at("num_attention_heads");
  g.kv_heads = c.at("num_key_value_heads");
  g.head_width = c.at("head_dim");
  g.hidden = c.at("intermediate_size");
  g.vocabulary = c.at("vocab_size");
  g.context = 4096;
  g.rope_theta = c.at("rope_theta");
  g.eps = c.at("rms_norm_eps");
  g.gate = c.at("hidden_act") == "relu2" ? Gate::kReluSquared : Gate::kSilu;
  g.tied = true;
  return g;
}

}  // namespace

std::shared_ptr<const Checkpoint> read_case(const std::string& path) {
  const auto file = std::make_shared<CaseFile>(path);
  const nlohmann::json config = nlohmann::json::parse(file->header.metadata.at("config"));
  auto checkpoint = std::make_shared<Checkpoint>();
  checkpoint->path = path;
  checkpoint->format = "safetensors of the cases";
  checkpoint->graph = graph_of(config);
  checkpoint->tokenizer.model = file->header.metadata.at("alphabet");
  for (const auto& [name, entry] : file->header.entries) {
    if (!name.ends_with(".weight")) continue;
    CheckpointTensor t = entry.dtype != DType::kU8                    ? floats_of(*file, name)
                         : checkpoint->graph.architecture == "bitnet" ? packed_ternary(*file, name)
                                                                      : grouped_binary(*file, name, config.at("group_size"));
    if (t.codes) {
      const uint64_t groups = t.sharing == ScaleSharing::kGroup ? t.columns() / t.group : 1;
      t.floats = [codes = t.codes, groups, columns = t.columns()](uint64_t r, std::span<float> row) {
        std::vector<int8_t> c(columns);
        std::vector<float> scales(groups);
        codes(r, c, scales);
        for (size_t i = 0; i < columns; ++i) row[i] = static_cast<float>(c[i]) * scales[i / (columns / groups)];
      };
    }
    t.name = t.canonical = name;
    t.where = path + ": tensor " + name;
    checkpoint->tensors.push_back(std::move(t));
  }
  checkpoint->files = file;
  return checkpoint;
}

}  // namespace bitgrid::test
