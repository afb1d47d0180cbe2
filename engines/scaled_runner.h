// What runs a model with scales token by token.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engines/open_model.h"
#include "reference_cpu/scaled/scaled_engine.h"

namespace bitgrid::engines {

struct ScaledRunParams {
  CacheForms cache;
  int threads = 1;
};

/// One text at a time.
struct ScaledRunner {
  /// Takes a token; without `want_logits` what it returns is empty.
  std::function<cpu::ScaledLogits(int token, bool want_logits, const cpu::ScaledTrace& trace)> step;
  /// Forgets the text.
  std::function<void()> restart;
};

/// The integer engine: the definition. `source` must outlive it.
ScaledRunner integer_runner(ScaledSource& source, const ScaledRunParams& params);
/// The float64 yardstick; its logits come with 40 fraction bits. Throws Error for cache forms other than the default: it has no codes.
ScaledRunner float_runner(ScaledSource& source, const ScaledRunParams& params);

}  // namespace bitgrid::engines
