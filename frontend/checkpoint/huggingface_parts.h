// The parts of parse_hf_config.
#pragma once

#include <string>

#include "frontend/checkpoint/huggingface_config.h"
#include "frontend/checkpoint/huggingface_keys.h"

namespace bitgrid::frontend {

/// Sets the refusal, unless there is one: the first says most.
void refuse(HfConfig& config, std::string why, std::string cure);

/// rope_theta and the scaling of rotary positions, in the old keys (rope_theta, rope_scaling) or the new one (rope_parameters).
void read_rotary(const HfKeys& keys, double default_theta, HfConfig& config);

/// Layers whose attention sees a window only.
void refuse_windows(const HfKeys& keys, HfConfig& config);

/// quantization_config, and `quantization` of MLX.
void read_quantization(const HfKeys& keys, HfConfig& config);

}  // namespace bitgrid::frontend
