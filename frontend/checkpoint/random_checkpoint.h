// Checkpoints with random weights in real formats. They help to size and time a model whose weights are not available.
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

/// Writes a GGUF file whose matrices have a type such as "q2_0". Embeddings are BF16, gains are F32 and 1, and tokens are single bytes.
/// Equal arguments give equal bytes. Throws Error if the type cannot be written, or if its blocks do not divide a width.
void write_random_gguf(const std::string& path, const GraphConfig& graph, const std::string& type, const RandomCheckpointParams& params);

/// Writes a Hugging Face folder of packed ternary weights (`bitnet`: autobitlinear, offline).
void write_random_folder(const std::string& path, const GraphConfig& graph, const RandomCheckpointParams& params);

/// Makes the same in memory: ternary weights with one scale; for qwen3, binary ones with a scale per 128 inputs, including its embedding
/// and head.
std::shared_ptr<const Checkpoint> random_checkpoint(const GraphConfig& graph, uint64_t seed);

}  // namespace bitgrid::frontend
