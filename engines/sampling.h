// How the next token is picked from the logits: greedy, or drawn with a seeded generator. The host does this for every engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/model.h"

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

}  // namespace bitgrid::engines
