// Hugging Face folders: config.json, safetensors, tokenizer.
#pragma once

#include <string>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// Reads the folder. Throws Error (file, key or tensor, what is wrong, cure) if something is missing or malformed. A folder that is
/// well-formed but cannot run gets a `refusal`. Weights that are stored as floats (master weights, `-unpacked`) are read once, to find or
/// to prove their scales.
Checkpoint read_huggingface(const std::string& folder, const CheckpointParams& params = {});

}  // namespace bitgrid::frontend
