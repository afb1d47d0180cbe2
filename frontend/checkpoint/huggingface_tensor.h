// Functions that the forms of huggingface_codes.h share.
#pragma once

#include <string>

#include "frontend/checkpoint/checkpoint.h"
#include "frontend/checkpoint/safetensors_map.h"

namespace bitgrid::frontend {

/// Returns a tensor with the name, shape, type and place of a stored one.
CheckpointTensor described(const MappedTensor& stored);

/// Throws Error unless it is a matrix of numbers. `what` says what it should be.
void check_matrix(const MappedTensor& stored, const std::string& what);

}  // namespace bitgrid::frontend
