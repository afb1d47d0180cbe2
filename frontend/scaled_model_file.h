// Models with scales in our own format: model.yaml and a safetensors file of integers. docs/model-format.md documents every key.
#pragma once

#include <string>
#include <string_view>

#include "frontend/checkpoint/checkpoint.h"
#include "ir/scaled_model.h"

namespace bitgrid::frontend {

struct ScaledModelFile {
  ScaledModel model;
  TokenizerSource tokenizer;
};

/// Reads and checks a model. Throws Error ("FILE:LINE: what is wrong; cure").
ScaledModelFile load_scaled_model(const std::string& yaml_path);

/// Returns only the model, from the bytes of the two files; the paths are only for messages. The weights must stay in place.
ScaledModel parse_scaled_model(const std::string& yaml, const std::string& yaml_path, std::string_view weights,
                               const std::string& weights_path);

/// Returns whether a file begins like such a model. False for files that cannot be read.
bool is_scaled_model_file(const std::string& path);

/// Writes model.yaml, weights.safetensors and what the tokenizer needs to a folder, which is made if it is missing. Throws Error. No file
/// is left half-written.
void write_scaled_model(const std::string& folder, const ScaledModel& model, const TokenizerSource& tokenizer);

}  // namespace bitgrid::frontend
