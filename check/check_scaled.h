// Runs engines of models with scales side by side over a text. Integers are compared value by value, the float engine by probabilities.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/engines.h"

namespace bitgrid::check {

struct ScaledCheckParams {
  std::vector<const engines::Engine*> engines;
  std::vector<std::vector<int>> windows;  // each from an empty cache; the first token of each is not scored
  CacheForms cache;
  scales::Dataflow dataflow = scales::Dataflow::kStreamed;
  int threads = 1;
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

/// A value of an engine that differs from the definition, which is computed element by element.
struct ScaledMismatch {
  std::string engine;
  size_t position = 0;  // of all windows
  std::string name;     // of the intermediate value
  size_t index = 0;
  int64_t expected = 0, got = 0;
};

/// Compares a yardstick's probabilities with those of the integers.
struct FloatComparison {
  size_t positions = 0;
  double bits_per_token = 0.0, bits_per_token_cpu = 0.0;
  double kl_mean = 0.0, kl_max = 0.0;  // of the integers from the floats, in nats
  double argmax_agreement = 0.0;       // share of positions
};

/// Compares every intermediate value of an exact engine with the definition.
struct ScaledEngineCheck {
  std::string engine;
  uint64_t compared = 0, mismatches = 0;
};

struct ScaledCheckReport {
  size_t positions = 0;
  std::vector<ScaledEngineCheck> engines;                       // the exact ones
  std::vector<std::pair<std::string, FloatComparison>> floats;  // the others, by name
  std::optional<ScaledMismatch> first;

  uint64_t mismatches() const;
  bool ok() const { return mismatches() == 0; }
};

/// A window of `positions` and one token more: the prompt, continued greedily by engine cpu or cut off. Throws Error if it is empty.
std::vector<int> window_to_check(engines::ScaledSource& source, std::vector<int> prompt, size_t positions,
                                 const engines::ScaledRunParams& params);

/// Throws Error if an engine does not run models with scales.
ScaledCheckReport check_scaled(engines::ScaledSource& source, const ScaledCheckParams& params);

}  // namespace bitgrid::check
