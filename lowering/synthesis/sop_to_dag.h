// Turns a CoverNetwork (a BLIF netlist) into a Dag, so that netlists and kernels take the same path from there.
#pragma once

#include "ir/cover_network.h"
#include "ir/dag.h"
#include "ir/program.h"

namespace bitgrid::synthesis {

/// The Dag has one 1-bit input and output for each of the network's, in order, and sums of products as and/or/not. Names are made legal for
/// Dags: other characters become `_`, with a number if two names would be equal.
Dag dag_from_cover(const CoverNetwork& network);

/// Makes a Dag a kernel. Every port is one word of bits, drawn bit by bit for verification.
Kernel kernel_of(Dag dag);

}  // namespace bitgrid::synthesis
