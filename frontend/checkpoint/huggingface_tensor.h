// What the forms of huggingface_codes.h share.
#pragma once

#include <string>

#include "frontend/checkpoint/checkpoint.h"
#include "frontend/checkpoint/safetensors_map.h"

namespace bitgrid::frontend {

/// Name, shape, type and place of a stored tensor.
CheckpointTensor described(const MappedTensor& stored);

/// Throws Error unless it is a matrix that has numbers; `what` it should be.
void check_matrix(const MappedTensor& stored, const std::string& what);

}  // namespace bitgrid::frontend
