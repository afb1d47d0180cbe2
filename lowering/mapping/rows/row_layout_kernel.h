// The configuration that a sweep's rows mean. Inside sweep.cc only.
#pragma once

#include "ir/mapped_kernel.h"
#include "lowering/mapping/rows/row_layout_rows.h"

namespace bitgrid::mapping {

/// Strategy "row-layout": the cells of `sweep`, with ports and times of the graph's inputs and outputs. Inputs that nothing depends on
/// stand at ports that nothing reads; the grid is widened if these are too few.
MappedKernel sweep_kernel(const synthesis::LogicGraph& graph, SweepRows sweep);

}  // namespace bitgrid::mapping
