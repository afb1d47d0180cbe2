// Makes a FloatModel of a checkpoint or of a model of integers.
#pragma once

#include <memory>

#include "frontend/checkpoint/checkpoint.h"
#include "ir/float_model.h"

namespace bitgrid::frontend {

struct FloatParams {
  size_t context = 0;  // as ConvertParams
  int threads = 1;
};

/// Reads rows of weights in place, when they are needed. Throws Error for find_refusal (convert.h).
FloatModel float_model(const std::shared_ptr<const Checkpoint>& checkpoint, const FloatParams& params = {});

/// Uses the real numbers that the integers represent, for models that have no other source. `model` must outlive the result.
FloatModel float_model(const ScaledModel& model, const FloatParams& params = {});

}  // namespace bitgrid::frontend
