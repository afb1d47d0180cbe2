// The configuration of laid rows. For row_layout*.cc only.
#pragma once

#include "ir/mapped_kernel.h"
#include "lowering/mapping/rows/row_layout_rows.h"

namespace bitgrid::mapping {

/// Strategy "row-layout": the cells of `layout`, with ports and times of the graph's inputs and outputs. Inputs that nothing depends on go
/// to ports that nothing reads. The grid is widened if there are too few of those.
MappedKernel row_layout_kernel(const synthesis::LogicGraph& graph, RowLayoutRows layout);

}  // namespace bitgrid::mapping
