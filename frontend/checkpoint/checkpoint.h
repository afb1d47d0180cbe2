// A checkpoint as its file or folder states it, before anything becomes integer: the sizes of the graph, the tensors in place, and what
// users should know about them. Readers fill it (gguf.h, huggingface.h), and convert.h makes the integers of a ScaledModel from it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bitgrid::frontend {

/// The integers that the codes of a stored tensor can be, up to its scales. kFloat: it has no codes.
enum class StoredValues : uint8_t { kFloat, kBinary /* -1, 1 */, kTernary /* -1, 0, 1 */, kInt2 /* -1, 0, 1, 2 */ };

/// How many numbers share a scale.
enum class ScaleSharing : uint8_t { kNone, kTensor, kRow, kGroup };

/// A tensor of a checkpoint. The functions read the mapped file, may be called from several threads, and must not outlive the checkpoint.
struct CheckpointTensor {
  std::string name;             // as in the file
  std::string canonical;        // Hugging Face's name for it, "model.layers.0.self_attn.q_proj.weight"; empty: the graph does not read it
  std::string stored;           // its type, for people: "Q2_0", "BF16", "U8, 4 ternary digits a byte"
  std::vector<uint64_t> shape;  // of the numbers, outermost first: [outputs, inputs] of a matrix
  StoredValues values = StoredValues::kFloat;
  ScaleSharing sharing = ScaleSharing::kNone;
  uint64_t group = 0;         // kGroup: inputs that share a scale; must divide the number of inputs
  double tensor_scale = 0.0;  // kTensor: the scale before it is rounded to a float
  bool pairs_share = false;   // kGroup: two consecutive groups always have the same scale
  std::string scale;          // what the scale is and what it means, for people; empty: none
  std::string where;          // "FILE: tensor NAME", for messages
  uint64_t bytes = 0;         // in the file

  /// Reads row `r` (of rows() rows) as floats, columns() of them. Always set.
  std::function<void(uint64_t r, std::span<float> row)> floats;
  /// Reads row `r` as codes (columns() of them) and scales (one; kGroup: columns() / group of them). Floats are codes times scales. A code
  /// whose scale is 0 is 0. Throws Error for a stored code outside `values`. Only set if there are codes.
  std::function<void(uint64_t r, std::span<int8_t> codes, std::span<float> scales)> codes;
  /// Returns the pages of the file to the system. They are read again when needed.
  std::function<void()> release = [] {};

  uint64_t rows() const { return shape.size() < 2 ? 1 : shape[0]; }
  uint64_t columns() const { return shape.empty() ? 1 : shape.back(); }
};

enum class Gate : uint8_t { kReluSquared, kSilu };

/// Rotary scaling as stated by metadata: type "yarn", "linear" or "llama3". Numbers that a type does not use are 0.
struct RopeScaling {
  std::string type;
  double factor = 1.0;
  double original_context = 0.0;
  double beta_fast = 32.0, beta_slow = 1.0;                        // yarn
  double attention_factor = 0.0;                                   // yarn; 0: 0.1 ln(factor) + 1
  double low_frequency_factor = 0.0, high_frequency_factor = 0.0;  // llama3
};

/// Sizes and choices of a decoder-only transformer.
struct GraphConfig {
  std::string architecture;  // "bitnet", "qwen3", "llama": selects the graph; see graph_of in convert.h
  uint64_t width = 0, layers = 0, heads = 0, kv_heads = 0, head_width = 0, hidden = 0, vocabulary = 0, context = 0;
  bool tied = false;  // the head equals the embedding
  double rope_theta = 10000.0, eps = 0.0;
  std::optional<RopeScaling> rope_scaling;
  std::vector<double> rope_factors;  // the frequency of each rotary pair is divided by its factor, before rope_scaling; empty: all are 1
  bool rope_interleaved = false;     // pairs of rotary positions are (2j, 2j + 1), not (j, j + half)
  Gate gate = Gate::kSilu;
  std::string gate_from;  // where the gate was stated, for people: "hidden_act of config.json"
};

/// Why a checkpoint cannot run, and what to do about it.
struct Refusal {
  std::string why, cure;
};

/// Metadata of a tokenizer, as far as its file states it. make_tokenizer (tokenizer/tokenizer.h) reads the texts.
struct TokenizerSource {
  enum class Kind : uint8_t {
    kNone,
    kHuggingFace /* texts of tokenizer.json, tokenizer_config.json */,
    kGguf,
    kSentencePiece /* bytes of tokenizer.model */
  };
  Kind kind = Kind::kNone;
  std::string where;  // for messages: the GGUF file, tokenizer.model, or tokenizer.json (tokenizer_config.json is in the same folder)
  std::string json, config_json;            // kHuggingFace
  std::string model;                        // kSentencePiece: bytes; kGguf: tokenizer.ggml.model, "gpt2" or "llama"
  std::string pre;                          // kGguf: tokenizer.ggml.pre
  std::vector<std::string> tokens, merges;  // kGguf
  std::vector<float> scores;                // kGguf, "llama"
  std::vector<int32_t> types;               // kGguf: token_type
  std::optional<int64_t> bos, eos;          // kGguf, and of config.json or generation_config.json
  std::vector<int64_t> more_eos;            // other tokens that end a text
  std::optional<bool> add_bos;
  std::optional<bool> add_space_prefix;  // kGguf, "llama": a text begins with a space that is not written; absent: yes
  std::string chat_template;
};

struct Checkpoint {
  std::string path;
  std::string format;                                                   // "GGUF 3", "Hugging Face folder"
  std::string (*name_in_file)(const std::string& canonical) = nullptr;  // name of a tensor for messages; nullptr: the canonical one
  GraphConfig graph;
  std::vector<CheckpointTensor> tensors;
  TokenizerSource tokenizer;
  std::vector<std::string> said;   // choices that the files state, a line each, for inspection
  std::vector<std::string> notes;  // assumptions that the files leave open, and anything unusual: every run prints them
  std::optional<Refusal> refusal;  // it can be listed but not run
  uint64_t bytes = 0;              // of all files
  std::shared_ptr<void> files;     // what the tensors read
};

/// What a reader is given in addition to the path.
struct CheckpointParams {
  std::string i2s_layout = {};    // of I2_S tensors: "x86" (also if empty), "x86-rows" or "arm"
  std::optional<Gate> gate = {};  // replaces the gate that the file states
};

/// Reads a GGUF file (any part, if it is split) or a Hugging Face folder (or one of its files). `path` decides which. Throws Error (file,
/// tensor, what is wrong, cure) if it is malformed. If it is well-formed but cannot run, it gets a `refusal`.
Checkpoint read_checkpoint(const std::string& path, const CheckpointParams& params = {});

/// Returns whether read_checkpoint reads `path`: a folder, a file of a Hugging Face folder (config.json, safetensors), or a file that
/// begins with "GGUF".
bool is_checkpoint(const std::string& path);

}  // namespace bitgrid::frontend
