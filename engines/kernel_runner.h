// Models with scales on the engines that run kernels: lowered to a Program, whose Dags, Verilog or mapped kernels then compute every value.
#pragma once

#include <string>

#include "engines/engines.h"
#include "engines/scaled_runner.h"

namespace bitgrid::engines {

/// Runs on `make`, an engine of kernels. The trace is told all tensors of the Program, position by position. `source` must outlive the
/// runner. Throws Error for models and cache forms that are not lowered yet.
ScaledRunner kernel_runner(KernelEngine (*make)(const EngineInputs& inputs), ScaledSource& source, const ScaledRunParams& params);

}  // namespace bitgrid::engines
