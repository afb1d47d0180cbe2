// Integer networks on the engines that run kernels: lowered to a Program.
#pragma once

#include "engines/engines.h"
#include "engines/network_runner.h"

namespace bitgrid::engines {

/// Runs on `make`, an engine of kernels. The trace is told the tensors that the definition traces as well. Throws Error for networks that
/// are not lowered yet.
NetworkRunner network_kernel_runner(KernelEngine (*make)(const EngineInputs& inputs), const IntegerNetwork& network,
                                    const NetworkRunParams& params);

}  // namespace bitgrid::engines
