// Sizes and times of serial mappings without laying a cell: what map_bit_serial and map_sum_difference would make of a form.
#pragma once

#include <cstdint>
#include <optional>

#include "lowering/mapping/matrix/bit_serial.h"

namespace bitgrid::mapping {

struct BitSerialSize {
  int width = 0;  // cells
  int height = 0;
  int ii = 0;              // cycles
  int latency_cycles = 0;  // as latency_cycles(MappedKernel)
  int64_t cells() const { return int64_t{width} * height; }
};

/// Of map_bit_serial. Weights and residents are not looked at (they may be left out of `form`): only columns, the number of groups and
/// planes, start words, residual words and what happens at the row ends.
BitSerialSize bit_serial_size(const BitSerialForm& form);

/// Of map_sum_difference; nullopt where that gives nullopt. Weights that are left out count as -1 or 1.
std::optional<BitSerialSize> sum_difference_size(const BitSerialForm& form);

}  // namespace bitgrid::mapping
