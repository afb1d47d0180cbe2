// FloatModel: the same graph as a ScaledModel, in floating point. It is a yardstick for the ScaledModel, not its definition.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/scaled_model.h"

namespace bitgrid {

/// y = f(x) for a linear map of any make.
using FloatMap = std::function<std::vector<double>(std::span<const double> x)>;

struct FloatLayer {
  std::vector<double> input_norm, post_norm;  // gains
  std::vector<double> query_norm, key_norm;   // empty: none
  std::vector<double> attention_sub_norm, feed_forward_sub_norm;
  std::vector<double> output_gain, down_gain;  // multiplies the operand where no norm precedes the map; empty: none
  FloatMap query, key, value, output, gate, up, down;
  GateFunction function = GateFunction::kSilu;
};

struct FloatModel {
  std::string name;
  size_t width = 0, heads = 0, kv_heads = 0, head_width = 0, vocabulary = 0, context = 0;
  double eps = 0.0;
  double attention_scale = 1.0;  // of the scores: attention factor squared / sqrt(head_width)
  bool rope_interleaved = false;
  bool quantised_activations = false;  // linear maps read 8-bit codes with one scale per token (BitNet); otherwise reals
  std::function<void(size_t token, std::span<double> row)> embedding;
  std::function<void(size_t position, std::span<double> cosine, std::span<double> sine)> rotation;  // [head_width / 2] each
  std::vector<FloatLayer> layers;
  std::vector<double> final_norm;
  FloatMap head;
};

}  // namespace bitgrid
