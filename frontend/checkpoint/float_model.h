// A checkpoint, or a model of integers, as a FloatModel.
#pragma once

#include <memory>

#include "frontend/checkpoint/checkpoint.h"
#include "ir/float_model.h"

namespace bitgrid::frontend {

struct FloatParams {
  size_t context = 0;  // as ConvertParams
  int threads = 1;
};

/// Reads rows of weights where they lie, whenever they are needed. Throws Error for find_refusal (convert.h).
FloatModel float_model(const std::shared_ptr<const Checkpoint>& checkpoint, const FloatParams& params = {});

/// The real numbers that the integers stand for: for models that have no other source. `model` must outlive it.
FloatModel float_model(const ScaledModel& model, const FloatParams& params = {});

}  // namespace bitgrid::frontend
