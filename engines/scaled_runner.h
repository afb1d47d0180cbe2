// Runs a model with scales token by token.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engines/engine_stats.h"
#include "engines/open_model.h"
#include "lowering/mapping/objective.h"
#include "lowering/scales/lower_scaled.h"
#include "reference_cpu/scaled/scaled_engine.h"

namespace bitgrid::engines {

struct ScaledRunParams {
  CacheForms cache;
  int threads = 1;
  // For engines that run kernels: the seed of the mapping, and callbacks for what is mapped or built and which step of the tokens runs.
  uint64_t seed = 1;
  mapping::Optimize optimize = mapping::Optimize::kArea;
  scales::Dataflow dataflow = scales::Dataflow::kStreamed;
  std::function<void(const std::string&)> progress = [](const std::string&) {};
  std::function<void(const std::string&)> step_progress = [](const std::string&) {};
};

/// Runs one text at a time.
struct ScaledRunner {
  /// Takes tokens. `each` gets the logits after token i, for all tokens or the last one.
  std::function<void(std::span<const int> tokens, bool all, const cpu::ScaledEngine::EachLogits& each, const cpu::ScaledTrace& trace)> feed;
  /// Forgets the text.
  std::function<void()> restart;
  std::function<EngineStats()> stats = [] { return EngineStats{}; };
};

/// Takes one token and returns its logits.
cpu::ScaledLogits step(const ScaledRunner& runner, int token);

/// Returns the integer engine, which is the definition. `source` must outlive it.
ScaledRunner integer_runner(ScaledSource& source, const ScaledRunParams& params);
/// Returns the float64 yardstick. Its logits have 40 fraction bits. Throws Error for cache forms other than the default, since it has no
/// codes.
ScaledRunner float_runner(ScaledSource& source, const ScaledRunParams& params);

}  // namespace bitgrid::engines
