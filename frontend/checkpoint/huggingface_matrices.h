// Decides which form each tensor of a Hugging Face folder has.
#pragma once

#include <vector>

#include "frontend/checkpoint/huggingface_config.h"
#include "frontend/checkpoint/huggingface_files.h"

namespace bitgrid::frontend {

/// Returns the tensors of the files, in their order, without the separate scales of matrices. Adds notes to `config`, and a refusal if
/// weights do not match what it says.
std::vector<CheckpointTensor> make_hf_tensors(const HfFiles& files, HfConfig& config);

}  // namespace bitgrid::frontend
