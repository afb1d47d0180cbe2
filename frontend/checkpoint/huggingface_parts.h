// The parts of parse_hf_config.
#pragma once

#include <string>

#include "frontend/checkpoint/huggingface_config.h"
#include "frontend/checkpoint/huggingface_keys.h"

namespace bitgrid::frontend {

/// Sets the refusal unless there is one, because the first says the most.
void refuse(HfConfig& config, std::string why, std::string cure);

/// Reads rope_theta and the scaling of rotary positions from the old keys (rope_theta, rope_scaling) or the new one (rope_parameters).
void read_rotary(const HfKeys& keys, double default_theta, HfConfig& config);

/// Refuses layers whose attention sees only a window.
void refuse_windows(const HfKeys& keys, HfConfig& config);

/// Reads quantization_config, and `quantization` of MLX.
void read_quantization(const HfKeys& keys, HfConfig& config);

}  // namespace bitgrid::frontend
