// Checkpoints with random weights in real formats: to size and time a model whose weights are not available.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

struct RandomCheckpointParams {
  std::string name = "random";
  uint64_t seed = 1;
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

/// A GGUF file whose matrices are of a type such as "q2_0". Embeddings are BF16, gains F32 and 1; single bytes are the tokens. Equal
/// arguments give equal bytes. Throws Error for a type that cannot be written, or whose blocks do not divide a width.
void write_random_gguf(const std::string& path, const GraphConfig& graph, const std::string& type, const RandomCheckpointParams& params);

/// A Hugging Face folder of packed ternary weights (`bitnet`: autobitlinear, offline).
void write_random_folder(const std::string& path, const GraphConfig& graph, const RandomCheckpointParams& params);

/// The same in memory: ternary weights with one scale, for qwen3 binary ones with a scale for 128 inputs, its embedding and head as well.
std::shared_ptr<const Checkpoint> random_checkpoint(const GraphConfig& graph, uint64_t seed);

}  // namespace bitgrid::frontend
