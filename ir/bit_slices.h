// Evaluates bit-level networks, 64 invocations at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "ir/bits.h"

namespace bitgrid {

/// Calls `evaluate` for each block of 64 rows of `inputs`. The function gets one word per input column (bit r = row r of the block) and
/// fills in one word per output column. Returns inputs.rows x outputs.
BitMatrix evaluate_slices(const BitMatrix& inputs, size_t outputs,
                          const std::function<void(std::span<const uint64_t> inputs, std::span<uint64_t> outputs)>& evaluate);

}  // namespace bitgrid
