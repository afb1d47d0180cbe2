// Layers that are larger than a tile: the kernels of the parts, and what each hands to the next.
#pragma once

#include <string>

#include "lowering/numerics/tiling.h"

namespace bitgrid::numerics {

/// A part of a block as a kernel: inputs "x" (its part of the operand), "s" (what the part before it hands on; not for the first) and "r"
/// (residual; only for the last); outputs "s" for the next part, or for the last those of the whole layer.
Kernel part_kernel(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const RowBlock& block, size_t part);

/// The tensor that part `part` hands to the next: counts of a parallel form bit by bit, or partial sums.
Tensor part_state(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const RowBlock& block, size_t part);

}  // namespace bitgrid::numerics
