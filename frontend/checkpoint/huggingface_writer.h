// Writes Hugging Face folders of BitNet b1.58. Ternary matrices are packed and written row by row, so that a model may be larger than
// memory.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// A tensor to write. Rows are requested once each, in order, from one thread.
struct HfWrittenTensor {
  std::string name;             // "model.layers.0.self_attn.q_proj.weight"
  std::vector<uint64_t> shape;  // outermost first, one or two sizes; a multiple of 4 rows with codes
  /// Gives row `r` of a tensor that is written as BF16.
  std::function<void(uint64_t r, std::span<float> row)> floats;
  /// Gives row `r` of a packed tensor: -1, 0 or 1.
  std::function<void(uint64_t r, std::span<int8_t> codes)> codes;
  float scale = 0.0f;  // with codes: their factor; becomes BF16
};

struct HfContents {
  GraphConfig graph;  // "bitnet", without rotary scaling
  std::vector<HfWrittenTensor> tensors;
};

/// Writes config.json, model.safetensors, and a tokenizer of single bytes without a begin token. Files get their names when all of them
/// have been written. The folder is made if it is missing. Throws Error if the rows of a matrix cannot be packed. Exceptions of the
/// functions pass through.
void write_huggingface(const std::string& folder, const HfContents& contents,
                       const std::function<void(uint64_t done, uint64_t total)>& progress = nullptr);

/// Returns the config.json of such a folder.
std::string print_hf_config(const GraphConfig& graph);

/// Returns the tokenizer.json of byte-level BPE without merges. The id of a byte is its value.
std::string print_byte_tokenizer();

}  // namespace bitgrid::frontend
