// config.json of Hugging Face folders: sizes and choices of the graph, and how its matrices are stored.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// What quantization_config says about the matrices.
struct HfQuantization {
  enum class Kind : uint8_t { kNone, kBitNet, kMlx };
  Kind kind = Kind::kNone;

  // kBitNet
  bool scale_multiplies = false;  // weight_scale is mean|W| (autobitlinear), not its inverse
  bool scale_is_stated = false;   // linear_class says so
  std::string convention;         // where that was stated, for people
  std::optional<bool> master;     // quantization_mode: online (floats that are made ternary) or offline (packed); nullopt: not stated

  // kMlx
  struct Mlx {
    uint64_t bits = 0, group = 0;  // 0 bits: a module that is not quantised
  };
  Mlx mlx;
  std::map<std::string, Mlx> modules;  // modules that differ, by name
};

struct HfConfig {
  GraphConfig graph;  // architecture is the model_type if no graph is known
  HfQuantization quantization;
  std::optional<int64_t> bos;
  std::vector<int64_t> eos;
  std::vector<std::string> said, notes;  // as in Checkpoint
  std::optional<Refusal> refusal;
};

/// Throws Error (file, key, what is wrong, cure) if it is malformed. Missing keys have Hugging Face's defaults for the model_type.
HfConfig parse_hf_config(std::string_view text, const std::string& path, const CheckpointParams& params = {});

}  // namespace bitgrid::frontend
