// CoverNetwork (a BLIF netlist) -> Dag, so that netlists and kernels go the same ways from there.
#pragma once

#include "ir/cover_network.h"
#include "ir/dag.h"
#include "ir/program.h"

namespace bitgrid::synthesis {

/// One 1-bit input and output for each of the network's, in order; sums of products as and/or/not. Names are made legal for Dags: other
/// characters become `_`, with a number where two would be equal.
Dag dag_from_cover(const CoverNetwork& network);

/// A Dag as a kernel of its own; every port is one word of bits, drawn bit by bit when verified.
Kernel kernel_of(Dag dag);

}  // namespace bitgrid::synthesis
