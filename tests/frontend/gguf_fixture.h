// A GGUF file of one layer, and what is said about it after a change.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "frontend/checkpoint/gguf.h"
#include "frontend/checkpoint/gguf_writer.h"
#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid::frontend {

/// The code at a place of a matrix, of those that `values` has; and what it is scaled with.
inline int8_t code_at(StoredValues values, uint64_t r, uint64_t c) {
  const auto n = static_cast<int>((r * 7 + c * 5 + r * c) % 11);
  return static_cast<int8_t>(values == StoredValues::kBinary ? n % 2 * 2 - 1 : n % 3 - 1);
}
inline constexpr float kScale = 0.375f;

inline GgufWrittenTensor matrix(const std::string& name, const char* type, uint64_t rows, uint64_t columns) {
  const BlockType* block = written_block_type(type);
  return {name,
          block,
          {rows, columns},
          [](uint64_t r, std::span<float> row) {
            for (size_t c = 0; c < row.size(); ++c) row[c] = kScale * code_at(StoredValues::kTernary, r, c);
          },
          [values = block->values](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
            for (size_t c = 0; c < codes.size(); ++c) codes[c] = code_at(values, r, c);
            std::fill(scales.begin(), scales.end(), kScale);
          }};
}

inline GgufWrittenTensor norm(const std::string& name, uint64_t size) {
  return {name, written_block_type("f32"), {size}, [](uint64_t, std::span<float> row) { std::fill(row.begin(), row.end(), 1.0f); }, {}};
}

/// One layer of two heads; `width` is also the width of the feed-forward unit.
inline GgufContents tiny_gguf(const std::string& architecture = "bitnet-b1.58", const char* type = "q2_0", uint32_t width = 64) {
  GgufContents c;
  const auto key = [&](const char* name) { return architecture + "." + name; };
  c.metadata = {{"general.architecture", architecture},
                {key("block_count"), 1u},
                {key("embedding_length"), width},
                {key("feed_forward_length"), width},
                {key("context_length"), 128u},
                {key("attention.head_count"), 2u},
                {key("attention.head_count_kv"), 1u},
                {key("attention.layer_norm_rms_epsilon"), 1e-5f},
                {key("rope.freq_base"), 500000.0f},
                {"tokenizer.ggml.model", std::string("gpt2")},
                {"tokenizer.ggml.pre", std::string("llama-bpe")},
                {"tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "<end>"}},
                {"tokenizer.ggml.merges", std::vector<std::string>{"a b"}},
                {"tokenizer.ggml.token_type", std::vector<int32_t>{1, 1, 3}},
                {"tokenizer.ggml.eos_token_id", 2u},
                {"tokenizer.ggml.add_bos_token", false}};
  c.tensors = {matrix("token_embd.weight", "bf16", 4, width), norm("output_norm.weight", width)};
  for (const char* name : {"attn_norm", "ffn_norm"}) c.tensors.push_back(norm(std::string("blk.0.") + name + ".weight", width));
  if (architecture.starts_with("bitnet"))
    for (const char* name : {"attn_sub_norm", "ffn_sub_norm"}) c.tensors.push_back(norm(std::string("blk.0.") + name + ".weight", width));
  if (architecture == "qwen3")
    for (const char* name : {"attn_q_norm", "attn_k_norm"}) c.tensors.push_back(norm(std::string("blk.0.") + name + ".weight", width / 2));
  for (const char* name : {"attn_q", "attn_output", "ffn_gate", "ffn_up", "ffn_down"})
    c.tensors.push_back(matrix(std::string("blk.0.") + name + ".weight", type, width, width));
  for (const char* name : {"attn_k", "attn_v"})
    c.tensors.push_back(matrix(std::string("blk.0.") + name + ".weight", type, width / 2, width));
  return c;
}

/// As the file "x.gguf".
inline Checkpoint checkpoint_of(std::string_view bytes, const CheckpointParams& params = {}) {
  return gguf_checkpoint({parse_gguf(bytes, "x.gguf")}, params, nullptr);
}

/// "runs", "WHY; CURE" of a refusal, or the message of an Error.
inline std::string verdict(std::string_view bytes, const CheckpointParams& params = {}) {
  try {
    const Checkpoint checkpoint = checkpoint_of(bytes, params);
    return checkpoint.refusal ? checkpoint.refusal->why + "; " + checkpoint.refusal->cure : "runs";
  } catch (const Error& e) {
    return e.what();
  }
}
inline std::string verdict(const GgufContents& contents, const CheckpointParams& params = {}) {
  std::string bytes;
  const std::string problem = test::error_of([&] { return bytes = print_gguf(contents); });
  return bytes.empty() ? problem : verdict(bytes, params);
}

inline void set(GgufContents& contents, const std::string& key, GgufWrittenValue value) {
  for (auto& [old, its] : contents.metadata) {
    if (old != key) continue;
    its = std::move(value);
    return;
  }
  contents.metadata.emplace_back(key, std::move(value));
}

inline const CheckpointTensor& named(const Checkpoint& checkpoint, std::string_view name) {
  const auto found = std::find_if(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                                  [&](const CheckpointTensor& t) { return t.name == name || t.canonical == name; });
  if (found == checkpoint.tensors.end()) throw std::logic_error("no tensor " + std::string(name));
  return *found;
}

inline std::vector<float> floats_of(const CheckpointTensor& tensor) {
  std::vector<float> all(tensor.rows() * tensor.columns());
  for (uint64_t r = 0; r < tensor.rows(); ++r) tensor.floats(r, std::span(all).subspan(r * tensor.columns(), tensor.columns()));
  return all;
}

struct CodedTensor {
  std::vector<int8_t> codes;
  std::vector<float> scales;
};

inline CodedTensor codes_of(const CheckpointTensor& tensor) {
  const uint64_t columns = tensor.columns(), scales = tensor.sharing == ScaleSharing::kGroup ? columns / tensor.group : 1;
  CodedTensor all{std::vector<int8_t>(tensor.rows() * columns), std::vector<float>(tensor.rows() * scales)};
  for (uint64_t r = 0; r < tensor.rows(); ++r)
    tensor.codes(r, std::span(all.codes).subspan(r * columns, columns), std::span(all.scales).subspan(r * scales, scales));
  return all;
}

}  // namespace bitgrid::frontend
