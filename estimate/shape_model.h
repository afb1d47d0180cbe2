// A model by its shapes, with what an estimate needs to know. It is read from a shapes file (docs/estimate.md) or taken from a whole model.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ir/model.h"
#include "ir/model_ranges.h"

namespace bitgrid::estimate {

inline constexpr int kMaxShapeBits = 12;                  // activations, keys and values, scores
inline constexpr int kMaxContext = 1 << 20;               // positions
inline constexpr int64_t kMaxStreams = int64_t{1} << 32;  // texts at once

struct MatrixShape {
  int outputs = 0;
  int inputs = 0;
  WeightValues values = WeightValues::kTernary;
  int group = 0;  // inputs that share a scale, which is an 8-bit multiplier; 0: none
};

struct LinearShape {
  MatrixShape matrix;
  Activation activation;
  int table_bits = 0;  // of the results of an element-wise table; 0: no table
};

struct AttentionShape {
  int heads = 1;
  int kv_heads = 1;  // heads / kv_heads queries share keys and values
  int window = 1;
  Activation input;
  LinearShape query, key, value;
  Range position;  // of the position biases
  Requantise score;
  Activation mix;
  MatrixShape output;
};

struct FeedForwardShape {
  Activation input;
  LinearShape up;
  bool gated = false;  // hidden = requantise(up(x) * gate(x)), gate like up
  MatrixShape down;
  int experts = 1;
  int active = 1;  // experts that one token uses
};

struct DenseShape {
  Activation input;
  LinearShape linear;
};

using LayerShape = std::variant<AttentionShape, FeedForwardShape, DenseShape>;

struct ShapeModel {
  std::string name;
  std::string description;
  int width = 0;
  int vocabulary = 0;
  int embedding_tables = 1;
  Range embedding;
  std::vector<LayerShape> layers;
  Activation head_input;
  MatrixShape head;
  std::vector<std::string> assumptions;
};

/// Returns the shapes and numerics of a model. Of biases and multipliers per channel it keeps only the largest multiplier.
ShapeModel shapes_of(const Model& model);

/// Returns whether the YAML text says `format: bitgrid-shapes-1`.
bool is_shapes_text(const std::string& yaml, const std::string& path);
/// Reads a shapes file. `context` > 0 replaces the file's, and `overrides` replaces values of keys. Throws Error (file, line, cure).
ShapeModel parse_shapes(const std::string& yaml, const std::string& path, int context = 0,
                        const std::vector<std::pair<std::string, std::string>>& overrides = {});

/// Sets the attention window of all layers.
void set_context(ShapeModel& model, int context);

}  // namespace bitgrid::estimate
