// Small random models for tests: in memory, seeded, with shifts chosen so that values vary, and as files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/model.h"

namespace bitgrid {

struct TinyParams {
  enum class Block : uint8_t { kAttention, kFeedForward, kLinear /* requantised */, kLinearSign, kLinearExact };

  int width = 8;
  int heads = 2;
  int window = 4;
  int d_ff = 12;
  int linear_outputs = 8;  // of kLinear*; residual blocks after it get this width
  std::vector<Block> layers = {Block::kAttention, Block::kFeedForward};
  std::string vocabulary = "\n abcdef";
  WeightValues values = WeightValues::kTernary;
  int embedding_tables = 1;  // more: token-shift embeddings
  int input_bits = 4;        // signed, of every `input`, and of `mix`; 1: sign
  int query_bits = 4;        // unsigned; 1: sign
  int key_bits = 3;          // signed; 1: sign
  int value_bits = 3;        // signed; 1: sign
  int score_bits = 4;        // unsigned
  int hidden_bits = 4;       // unsigned; 1: sign
  bool position = true;
  bool bias = true;
  bool multiplier = false;        // per channel in inputs and hidden values, per tensor elsewhere
  std::optional<int> shift = {};  // of every requantisation, in place of one that suits the values
  bool zero_weights = false;
  int embedding_lo = -31, embedding_hi = 31;
  bool table = false;  // after the hidden values of feed-forward
  uint32_t seed = 1;
};

/// A consistent model (`find_problem` finds none).
Model tiny_model(const TinyParams& params = {});

/// Writes DIR/model.yaml and DIR/weights.safetensors, creating DIR; returns the path of model.yaml. `load_model` of it gives `model` again,
/// but for content_hash and the matrices' names, which become the tensors'.
std::string write_model(const Model& model, const std::string& dir);

/// The two files' contents.
struct ModelFiles {
  std::string yaml;
  std::string weights;
};
ModelFiles print_model(const Model& model);

}  // namespace bitgrid
