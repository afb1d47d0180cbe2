// The configuration that a sweep's rows mean. Inside sweep.cc only.
#pragma once

#include "ir/mapped_kernel.h"
#include "lowering/arrays/sweep_rows.h"

namespace bitgrid {

/// Strategy "sweep": the cells of `sweep`, with ports and times of the graph's inputs and outputs. Inputs that nothing depends on stand at
/// ports that nothing reads; the grid is widened if these are too few.
MappedKernel sweep_kernel(const LogicGraph& graph, SweepRows sweep);

}  // namespace bitgrid
