// Runs models with scales on the engines that run kernels: they are lowered to a Program, whose Dags, Verilog or mapped kernels compute
// every value.
#pragma once

#include <string>

#include "engines/engines.h"
#include "engines/scaled_runner.h"

namespace bitgrid::engines {

/// Runs on `make`, an engine of kernels. The trace gets all tensors of the Program, position by position. `source` must outlive the runner.
/// Throws Error for models and cache forms that cannot be lowered yet.
ScaledRunner kernel_runner(KernelEngine (*make)(const EngineInputs& inputs), ScaledSource& source, const ScaledRunParams& params);

}  // namespace bitgrid::engines
