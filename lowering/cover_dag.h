// CoverNetwork (a BLIF netlist) -> Dag, so that netlists and kernels go the same ways from there.
#pragma once

#include "ir/cover_network.h"
#include "ir/dag.h"

namespace bitgrid {

/// One 1-bit input and output for each of the network's, in order; sums of products as and/or/not. Names are made legal for Dags (other
/// characters become `_`, with a number where two would be equal).
Dag dag_from_cover(const CoverNetwork& network);

}  // namespace bitgrid
