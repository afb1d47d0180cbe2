// Reads model.yaml and its weights as a Model. docs/model-format.md documents every key and tensor.
#pragma once

#include <string>
#include <vector>

#include "ir/model.h"

namespace bitgrid::frontend {

/// Reads and checks a model. `warnings`, if given, gets what is odd but harmless, such as tensors that no key names. Throws Error
/// ("FILE:LINE: what is wrong; cure").
Model load_model(const std::string& yaml_path, std::vector<std::string>* warnings = nullptr);

/// The same for the bytes of the two files; the paths are only for messages.
Model parse_model(const std::string& yaml, const std::string& yaml_path, std::string weights, const std::string& weights_path,
                  std::vector<std::string>* warnings = nullptr);

}  // namespace bitgrid::frontend
