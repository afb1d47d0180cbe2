// Which form each tensor of a Hugging Face folder has.
#pragma once

#include <vector>

#include "frontend/checkpoint/huggingface_config.h"
#include "frontend/checkpoint/huggingface_files.h"

namespace bitgrid::frontend {

/// The tensors of the files, in their order, scales beside their matrices left out. Adds notes to `config`, and a refusal where weights are
/// not what it says.
std::vector<CheckpointTensor> make_hf_tensors(const HfFiles& files, HfConfig& config);

}  // namespace bitgrid::frontend
