// Sizes and times of serial mappings without laying a cell: what map_systolic and map_paired would make of a form.
#pragma once

#include <cstdint>
#include <optional>

#include "lowering/systolic.h"

namespace bitgrid {

struct SystolicSize {
  int width = 0;  // cells
  int height = 0;
  int ii = 0;              // cycles
  int latency_cycles = 0;  // as latency_cycles(MappedKernel)
  int64_t cells() const { return int64_t{width} * height; }
};

/// Of map_systolic. Weights and residents are not looked at (they may be left out of `form`): only columns, the number of groups and
/// planes, start words, residual words and what happens at the row ends.
SystolicSize systolic_size(const SystolicForm& form);

/// Of map_paired; nullopt where that gives nullopt. Weights that are left out count as -1 or 1.
std::optional<SystolicSize> paired_size(const SystolicForm& form);

}  // namespace bitgrid
