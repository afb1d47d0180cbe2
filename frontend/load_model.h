// model.yaml and its weights -> Model. docs/model-format.md documents every key and tensor.
#pragma once

#include <string>
#include <vector>

#include "ir/model.h"

namespace bitgrid::frontend {

/// Reads and checks a model. `warnings`, if given, collects what is odd but harmless: tensors that no key names.
/// Throws Error ("FILE:LINE: what is wrong; cure").
Model load_model(const std::string& yaml_path, std::vector<std::string>* warnings = nullptr);

/// The same from the two files' bytes; the paths are for messages only.
Model parse_model(const std::string& yaml, const std::string& yaml_path, std::string weights, const std::string& weights_path,
                  std::vector<std::string>* warnings = nullptr);

}  // namespace bitgrid::frontend
