// Picks the next token from the logits: greedily, or at random with a seeded generator. The host does this for every engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/model.h"
#include "reference_cpu/scaled/scaled_engine.h"

namespace bitgrid::engines {

/// Seeded; one per generation.
struct Sampler {
  std::optional<SamplingTable> table;  // none: greedy
  uint32_t state = 0;                  // of the generator
};

/// Greedy: picks the lowest index of the largest logit.
Sampler greedy_sampler();

/// `temperature` is a number in text: "0.7" and "0.70" are the same. Throws Error that lists the model's temperatures if it has no table
/// for this one.
constexpr uint64_t kMostSamplingSeed = UINT32_MAX;
Sampler temperature_sampler(const Model& model, const std::string& temperature, uint32_t seed);

/// Returns the next token and advances the generator (unless greedy).
int next_token(Sampler& sampler, const std::vector<int64_t>& logits);

/// Sampling of models with scales: at any temperature, among the likeliest tokens.
struct ScaledSampler {
  Scalar per_temperature;     // 1 / temperature; 0: greedy
  int top_k = 0;              // only the k largest logits; 0: all
  uint32_t top_p = 1U << 16;  // of those, in falling order, the shortest run with this share of their weight, in 1/65536; 1 << 16: all
  uint32_t state = 0;         // of the generator
};

/// Returns the next token: the lowest index of the largest logit, or a random one with the weights table[d], where d is the distance to the
/// largest logit in 1/256 of the temperature. `table`: ScaledTables::sampling. Advances the generator unless greedy.
int next_token(ScaledSampler& sampler, const cpu::ScaledLogits& logits, const std::vector<int32_t>& table);

}  // namespace bitgrid::engines
