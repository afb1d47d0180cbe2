// Writes Hugging Face folders of BitNet b1.58: packed ternary matrices, row by row, so that a model may be larger than memory.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// A tensor to write. Rows are asked for once each, in order, in one thread.
struct HfWrittenTensor {
  std::string name;             // "model.layers.0.self_attn.q_proj.weight"
  std::vector<uint64_t> shape;  // outermost first, one or two sizes; a multiple of 4 rows with codes
  /// Row `r` of a tensor that is written as BF16.
  std::function<void(uint64_t r, std::span<float> row)> floats;
  /// Row `r` of a packed one: -1, 0 or 1.
  std::function<void(uint64_t r, std::span<int8_t> codes)> codes;
  float scale = 0.0f;  // with codes: what they are multiplied with; becomes BF16
};

struct HfContents {
  GraphConfig graph;  // "bitnet", without rotary scaling
  std::vector<HfWrittenTensor> tensors;
};

/// Writes config.json, model.safetensors, and a tokenizer of single bytes without a begin token. Files get their names when all of them are
/// written; the folder is made if it is missing. Throws Error for a matrix whose rows cannot be packed; whatever the functions throw passes
/// through.
void write_huggingface(const std::string& folder, const HfContents& contents,
                       const std::function<void(uint64_t done, uint64_t total)>& progress = nullptr);

/// config.json of such a folder.
std::string print_hf_config(const GraphConfig& graph);

/// tokenizer.json of byte-level BPE without merges: the id of a byte is its value.
std::string print_byte_tokenizer();

}  // namespace bitgrid::frontend
