// How the next token is picked from the logits: greedy, or drawn with a seeded generator. The host does this for every engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/model.h"
#include "reference_cpu/scaled/scaled_engine.h"

namespace bitgrid::engines {

/// Seeded; one for each generation.
struct Sampler {
  std::optional<SamplingTable> table;  // none: greedy
  uint32_t state = 0;                  // of the generator
};

/// Greedy: the lowest index of the largest logit.
Sampler greedy_sampler();

/// `temperature` as a number in text: "0.7" and "0.70" are the same. Throws Error listing the model's temperatures if it has no table for
/// it.
constexpr uint64_t kMostSamplingSeed = UINT32_MAX;
Sampler temperature_sampler(const Model& model, const std::string& temperature, uint32_t seed);

/// The next token; moves the generator on (not when greedy).
int next_token(Sampler& sampler, const std::vector<int64_t>& logits);

/// Sampling of models with scales: at any temperature, among the likeliest.
struct ScaledSampler {
  Scalar per_temperature;     // 1 / temperature; 0: greedy
  int top_k = 0;              // only the k largest logits; 0: all
  uint32_t top_p = 1U << 16;  // of those, in falling order, the shortest run with this share of their weight, in 1/65536; all of it: all
  uint32_t state = 0;         // of the generator
};

/// The next token: the lowest index of the largest logit, or drawn with the weights table[d], d the distance to the largest logit in
/// 1/256 of the temperature. `table`: ScaledTables::sampling. Moves the generator on, where it is not greedy.
int next_token(ScaledSampler& sampler, const cpu::ScaledLogits& logits, const std::vector<int32_t>& table);

}  // namespace bitgrid::engines
