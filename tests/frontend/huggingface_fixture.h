// A small Hugging Face folder whose every part a test can change: one layer of the BitNet graph, width 8, four tokens.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "frontend/checkpoint/checkpoint.h"
#include "frontend/checkpoint/convert.h"
#include "frontend/checkpoint/half.h"
#include "frontend/checkpoint/huggingface.h"
#include "frontend/safetensors_writer.h"
#include "ir/error.h"
#include "ir/file.h"
#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::frontend::huggingface_test {

struct Tensor {
  std::string name;
  DType dtype;
  std::vector<uint64_t> shape;
  std::string bytes;
};

/// Numbers as the bytes of a type: floats and halves are rounded.
inline std::string numbers(DType dtype, const std::vector<double>& values) {
  std::string out;
  for (const double v : values) {
    const float f = static_cast<float>(v);
    const uint64_t bits = dtype == DType::kF16    ? float_to_half(f)
                          : dtype == DType::kBF16 ? float_to_bfloat(f)
                          : dtype == DType::kF32  ? std::bit_cast<uint32_t>(f)
                          : dtype == DType::kF64  ? std::bit_cast<uint64_t>(v)
                                                  : static_cast<uint64_t>(static_cast<int64_t>(v));
    append_little_endian(out, bits, dtype_info(dtype).bytes);
  }
  return out;
}

inline Tensor tensor_of(const std::string& name, DType dtype, const std::vector<uint64_t>& shape, const std::vector<double>& values) {
  return {name, dtype, shape, numbers(dtype, values)};
}

/// The whole file.
inline std::string safetensors_of(const std::vector<Tensor>& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::string data;
  for (const Tensor& t : tensors) {
    header[t.name] = {
        {"dtype", dtype_info(t.dtype).name}, {"shape", t.shape}, {"data_offsets", {data.size(), data.size() + t.bytes.size()}}};
    data += t.bytes;
  }
  std::string out;
  append_little_endian(out, header.dump().size(), 8);
  return out + header.dump() + data;
}

class HuggingFaceFolder : public testing::Test {
 protected:
  static constexpr uint64_t kWidth = 8, kHidden = 16;
  const std::string kLayer = "model.layers.0.";

  HuggingFaceFolder() {
    config = {{"architectures", {"BitNetForCausalLM"}},
              {"model_type", "bitnet"},
              {"vocab_size", 4},
              {"hidden_size", kWidth},
              {"num_hidden_layers", 1},
              {"num_attention_heads", 2},
              {"num_key_value_heads", 1},
              {"intermediate_size", kHidden},
              {"max_position_embeddings", 64},
              {"rope_theta", 10000.0},
              {"rms_norm_eps", 1e-5},
              {"hidden_act", "relu2"},
              {"tie_word_embeddings", true},
              {"bos_token_id", nullptr},
              {"eos_token_id", nullptr},
              {"quantization_config", {{"quant_method", "bitnet"}, {"linear_class", "autobitlinear"}, {"quantization_mode", "offline"}}}};
    add(tensor_of("model.embed_tokens.weight", DType::kBF16, {4, kWidth}, std::vector<double>(4 * kWidth, 0.5)));
    add_ones("model.norm.weight", kWidth);
    for (const char* norm : {"input_layernorm", "post_attention_layernorm", "self_attn.attn_sub_norm"})
      add_ones(kLayer + norm + ".weight", kWidth);
    add_ones(kLayer + "mlp.ffn_sub_norm.weight", kHidden);
    for (const auto& [name, rows, columns] : matrices()) {
      // Byte 0x64: the codes 0, 1, 2, 1 of four rows.
      add({name, DType::kU8, {rows / 4, columns}, std::string(rows / 4 * columns, '\x64')});
      add(tensor_of(name + "_scale", DType::kBF16, {1}, {0.0625}));
    }
  }

  struct Matrix {
    std::string name;
    uint64_t rows, columns;
  };
  std::vector<Matrix> matrices() const {
    return {{kLayer + "self_attn.q_proj.weight", kWidth, kWidth}, {kLayer + "self_attn.k_proj.weight", 4, kWidth},
            {kLayer + "self_attn.v_proj.weight", 4, kWidth},      {kLayer + "self_attn.o_proj.weight", kWidth, kWidth},
            {kLayer + "mlp.gate_proj.weight", kHidden, kWidth},   {kLayer + "mlp.up_proj.weight", kHidden, kWidth},
            {kLayer + "mlp.down_proj.weight", kWidth, kHidden}};
  }

  void add_ones(const std::string& name, uint64_t count) { add(tensor_of(name, DType::kBF16, {count}, std::vector<double>(count, 1.0))); }
  void add(const Tensor& t) { tensors.push_back(t); }
  Tensor& tensor(const std::string& name) {
    for (Tensor& t : tensors)
      if (t.name == name) return t;
    throw std::logic_error("no tensor " + name);
  }
  void remove(const std::string& name) {
    std::erase_if(tensors, [&](const Tensor& t) { return t.name == name; });
  }

  /// Turns the folder into one of floats: `values` of each matrix of layers.
  template <typename Values>
  void make_floats(DType dtype, Values values) {
    for (const auto& [name, rows, columns] : matrices()) {
      remove(name + "_scale");
      std::vector<double> all;
      for (uint64_t i = 0; i < rows * columns; ++i) all.push_back(values(i));
      tensor(name) = tensor_of(name, dtype, {rows, columns}, all);
    }
  }

  std::string path() const { return scratch.file("model"); }
  std::string file(const std::string& name) const { return path() + "/" + name; }
  void write() {
    std::filesystem::create_directories(path());
    write_file(file("config.json"), config.dump());
    write_file(file("model.safetensors"), safetensors_of(tensors));
  }
  Checkpoint read(const CheckpointParams& params = {}) {
    write();
    return read_checkpoint(path(), params);
  }
  /// What read throws, with the folder's path cut away.
  std::string error() {
    return short_text(bitgrid::test::error_of([&] { read(); }));
  }
  /// Why the folder cannot run, and the cure: "WHY; CURE". "runs" if it can.
  std::string refusal() {
    const auto r = find_refusal(read());
    return r ? short_text(r->why + "; " + r->cure) : "runs";
  }
  std::string short_text(std::string text) const {
    for (size_t at; (at = text.find(path() + "/")) != std::string::npos;) text.erase(at, path().size() + 1);
    return text;
  }

  bitgrid::test::ScratchFolder scratch;
  nlohmann::json config;
  std::vector<Tensor> tensors;
};

inline const CheckpointTensor& find(const Checkpoint& checkpoint, const std::string& canonical) {
  for (const CheckpointTensor& t : checkpoint.tensors)
    if (t.canonical == canonical) return t;
  throw std::logic_error("no tensor " + canonical);
}

inline std::vector<int> codes_of(const CheckpointTensor& t, uint64_t row) {
  std::vector<int8_t> codes(t.columns());
  std::vector<float> scales(t.sharing == ScaleSharing::kGroup ? t.columns() / t.group : 1);
  t.codes(row, codes, scales);
  return {codes.begin(), codes.end()};
}

inline std::vector<float> scales_of(const CheckpointTensor& t, uint64_t row) {
  std::vector<int8_t> codes(t.columns());
  std::vector<float> scales(t.sharing == ScaleSharing::kGroup ? t.columns() / t.group : 1);
  t.codes(row, codes, scales);
  return scales;
}

inline std::vector<float> floats_of(const CheckpointTensor& t, uint64_t row) {
  std::vector<float> floats(t.columns());
  t.floats(row, floats);
  return floats;
}

}  // namespace bitgrid::frontend::huggingface_test
