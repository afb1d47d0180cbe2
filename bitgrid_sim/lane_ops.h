// The loops that execute the runs of a LaneProgram: one function for each kind of operation, target and word size.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bitgrid_sim/lane_program.h"
#include "bitgrid_sim/target.h"

namespace bitgrid::sim {

/// Executes `count` operations on the state; their code starts at `code`. A word of the state is 64 or 512 lanes.
using LaneFunction = void (*)(uint64_t* state, const uint32_t* code, size_t count);

/// Returns lane_op::kCount functions, null for tables that are not canonical. `lane_words`: 64-bit words in a word of state, 1 or 8.
const LaneFunction* lane_functions(SimdTarget target, size_t lane_words);

}  // namespace bitgrid::sim
