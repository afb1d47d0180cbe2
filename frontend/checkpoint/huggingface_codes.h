// Tensors of Hugging Face folders as codes and scales, for every form in which files store them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "frontend/checkpoint/checkpoint.h"
#include "frontend/checkpoint/safetensors_map.h"

namespace bitgrid::frontend {

// The tensors that these functions take must outlive the results. The sizes of the results count numbers, not stored elements.

/// Floats, or integers whose meaning is not known here.
CheckpointTensor float_tensor(const MappedTensor& stored);

/// BitNet's bytes of four rows: bits 2i of byte row r are row i * out / 4 + r, weight + 1. Throws Error if shapes, types or a weight_scale
/// do not match.
CheckpointTensor packed_tensor(const MappedTensor& stored, const MappedTensor& scale, bool scale_multiplies);

/// Floats that a linear map makes ternary when it uses them: round(w / mean|w|) within -1 .. 1, times mean|w|. Reads the tensor once.
CheckpointTensor master_tensor(const MappedTensor& stored);

/// Where weights do not have the form that is stated.
struct Misfit {
  std::string why;  // "row 3, inputs 128 to 255 have several magnitudes"
};

/// Floats of one magnitude in each `group` inputs of a row (binary), or of zeros and one magnitude (ternary). Reads the tensor once. If the
/// form does not match, it returns a misfit instead of a tensor.
std::optional<Misfit> find_group_misfit(const MappedTensor& stored, uint64_t group, CheckpointTensor& tensor);

/// MLX's codes of 1 or 2 bits in 32-bit words, lowest first: scale * q + bias. The codes are binary if bias = -scale / 2 (1 bit), -1 .. 2
/// if bias = -scale (2 bits), and ternary if there is no 2.
std::optional<Misfit> find_mlx_misfit(const MappedTensor& stored, const MappedTensor& scales, const MappedTensor& biases, uint64_t bits,
                                      uint64_t group, CheckpointTensor& tensor);

}  // namespace bitgrid::frontend
