// Tensors of Hugging Face folders as codes and scales: every form in which the files store them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "frontend/checkpoint/checkpoint.h"
#include "frontend/checkpoint/safetensors_map.h"

namespace bitgrid::frontend {

// The tensors that these functions take must outlive what they return. Sizes of what they return are those of the numbers.

/// Floats, or integers without a meaning known here.
CheckpointTensor float_tensor(const MappedTensor& stored);

/// BitNet's bytes of four rows: bits 2i of byte row r are row i * out / 4 + r, weight + 1. Throws Error for shapes, types and a
/// weight_scale that do not fit.
CheckpointTensor packed_tensor(const MappedTensor& stored, const MappedTensor& scale, bool scale_multiplies);

/// Floats that a linear map makes ternary when it is used: round(w / mean|w|) within -1 .. 1, times mean|w|. Reads the tensor once.
CheckpointTensor master_tensor(const MappedTensor& stored);

/// Where weights are not what their form says.
struct Misfit {
  std::string why;  // "row 3, inputs 128 to 255 have several magnitudes"
};

/// Floats of one magnitude in each `group` inputs of a row (binary), or of zeros and one magnitude (ternary). Reads the tensor once. A
/// misfit is returned instead of a tensor.
std::optional<Misfit> find_group_misfit(const MappedTensor& stored, uint64_t group, CheckpointTensor& tensor);

/// MLX's codes of 1 or 2 bits in words of 32, lowest first: scale * q + bias. Binary where bias = -scale / 2 (1 bit), -1 .. 2 where bias =
/// -scale (2 bits), ternary if no 2 is there.
std::optional<Misfit> find_mlx_misfit(const MappedTensor& stored, const MappedTensor& scales, const MappedTensor& biases, uint64_t bits,
                                      uint64_t group, CheckpointTensor& tensor);

}  // namespace bitgrid::frontend
