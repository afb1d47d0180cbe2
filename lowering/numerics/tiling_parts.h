// For layers that are larger than a tile: the kernels of the parts, and what each part passes to the next.
#pragma once

#include <string>

#include "lowering/numerics/tiling.h"

namespace bitgrid::numerics {

/// Returns a part of a block as a kernel. Inputs: "x" (its part of the operand), "s" (what the previous part passes on; not for the first)
/// and "r" (residual; only for the last). Outputs: "s" for the next part; for the last part, those of the whole layer.
Kernel part_kernel(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const RowBlock& block, size_t part);

/// Returns the tensor that part `part` passes to the next: counts of a parallel form bit by bit, or partial sums.
Tensor part_state(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const RowBlock& block, size_t part);

}  // namespace bitgrid::numerics
