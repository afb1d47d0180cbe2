#include "frontend/checkpoint/huggingface_writer.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "frontend/checkpoint/half.h"
#include "frontend/safetensors_writer.h"
#include "frontend/tokenizer/unicode.h"
#include "ir/error.h"
#include "ir/json_text.h"
#include "ir/output_file.h"

namespace bitgrid::frontend {
namespace {

using nlohmann::ordered_json;

/// Makes the folder; without keep(), takes away what was made.
class NewFolder {
 public:
  explicit NewFolder(const std::string& path) : made_(make_folders(path)) {}
  ~NewFolder() {
    std::error_code ignored;
    for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) std::filesystem::remove(*folder, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  void keep() { made_.clear(); }

 private:
  std::vector<std::string> made_;
};

WrittenTensor float_rows(const HfWrittenTensor& t) {
  return {t.name, DType::kBF16, t.shape, [&t, row = std::vector<float>()](uint64_t r, std::string& bytes) mutable {
            // Of a vector, all numbers: its rows are single ones.
            if (t.shape.size() == 1 && r > 0) return;
            row.resize(t.shape.back());
            t.floats(r, row);
            for (const float value : row) append_little_endian(bytes, float_to_bfloat(value), 2);
          }};
}

/// Byte row r holds rows r, r + q, r + 2q and r + 3q. They come in order, so that the whole matrix is packed with the first.
WrittenTensor packed_rows(const HfWrittenTensor& t) {
  const uint64_t rows = t.shape.front(), columns = t.shape.back(), quarter = rows / 4;
  if (t.shape.size() != 2 || rows % 4 != 0)
    throw Error("tensor " + t.name, fmt::format("its {} rows cannot be packed by fours", rows), "choose widths that are multiples of 4");
  return {
      t.name, DType::kU8, {quarter, columns}, [&t, rows, columns, quarter, packed = std::string()](uint64_t r, std::string& bytes) mutable {
        if (r == 0) {
          packed.assign(quarter * columns, '\0');
          std::vector<int8_t> codes(columns);
          for (uint64_t row = 0; row < rows; ++row) {
            t.codes(row, codes);
            char* to = packed.data() + row % quarter * columns;
            const uint64_t shift = 2 * (row / quarter);
            for (uint64_t c = 0; c < columns; ++c) to[c] = static_cast<char>(to[c] | (codes[c] + 1) << shift);
          }
        }
        bytes.append(packed, r * columns, columns);
        if (r + 1 == quarter) packed = std::string();
      }};
}

std::vector<WrittenTensor> written_tensors(const HfContents& contents) {
  std::vector<WrittenTensor> out;
  for (const HfWrittenTensor& t : contents.tensors) {
    if (!t.codes) {
      out.push_back(float_rows(t));
      continue;
    }
    out.push_back(packed_rows(t));
    out.push_back({t.name + "_scale", DType::kBF16, {1}, [&t](uint64_t, std::string& bytes) {
                     append_little_endian(bytes, float_to_bfloat(t.scale), 2);
                   }});
  }
  return out;
}

}  // namespace

std::string print_hf_config(const GraphConfig& g) {
  const ordered_json config = {
      {"architectures", {"BitNetForCausalLM"}},
      {"model_type", "bitnet"},
      {"vocab_size", g.vocabulary},
      {"hidden_size", g.width},
      {"num_hidden_layers", g.layers},
      {"num_attention_heads", g.heads},
      {"num_key_value_heads", g.kv_heads},
      {"head_dim", g.head_width},
      {"intermediate_size", g.hidden},
      {"max_position_embeddings", g.context},
      {"rope_theta", g.rope_theta},
      {"rms_norm_eps", g.eps},
      {"hidden_act", g.gate == Gate::kReluSquared ? "relu2" : "silu"},
      {"attention_bias", false},
      {"tie_word_embeddings", g.tied},
      {"bos_token_id", nullptr},
      {"eos_token_id", nullptr},
      {"torch_dtype", "bfloat16"},
      {"quantization_config", {{"quant_method", "bitnet"}, {"linear_class", "autobitlinear"}, {"quantization_mode", "offline"}}},
  };
  return json_text(config, 2) + "\n";
}

std::string print_byte_tokenizer() {
  ordered_json vocabulary = ordered_json::object();
  for (int b = 0; b < 256; ++b) vocabulary[byte_level_character(static_cast<uint8_t>(b))] = b;
  const ordered_json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  const ordered_json tokenizer = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", ordered_json::array()},
      {"normalizer", nullptr},
      {"pre_tokenizer", byte_level},
      {"post_processor", nullptr},
      {"decoder", byte_level},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", nullptr},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", false},
        {"byte_fallback", false},
        {"ignore_merges", false},
        {"vocab", vocabulary},
        {"merges", ordered_json::array()}}},
  };
  return json_text(tokenizer, 1) + "\n";
}

void write_huggingface(const std::string& folder, const HfContents& contents, const std::function<void(uint64_t, uint64_t)>& progress) {
  const std::vector<WrittenTensor> tensors = written_tensors(contents);
  NewFolder made(folder);
  const std::string at = folder + "/";
  OutputFile model(at + "model.safetensors"), tokenizer(at + "tokenizer.json"), settings(at + "tokenizer_config.json"),
      config(at + "config.json");
  write_safetensors(model, tensors, {{"format", "pt"}}, progress);
  tokenizer.write(print_byte_tokenizer());
  settings.write(json_text(ordered_json{{"tokenizer_class", "PreTrainedTokenizerFast"}, {"add_bos_token", false}}, 2) + "\n");
  config.write(print_hf_config(contents.graph));
  for (OutputFile* file : {&model, &tokenizer, &settings, &config}) file->close();
  for (OutputFile* file : {&model, &tokenizer, &settings, &config}) file->finish();
  made.keep();
}

}  // namespace bitgrid::frontend
