// The bit-serial strategy: a matrix of digits (constant or resident in LUT contents) times word streams, and what happens to the sums at
// the row ends (docs/stamps.md). It plans where everything stands (regular_plan.h; around defects detour_plan.h) and lays the plan.
#pragma once

#include <cstdint>
#include <string>

#include "ir/defects.h"
#include "ir/kernel_form.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::mapping {

struct BitSerialSize {
  int width = 0;  // cells
  int height = 0;
  int ii = 0;              // cycles
  int latency_cycles = 0;  // as latency_cycles(MappedKernel)
  int64_t cells() const { return int64_t{width} * height; }
};

/// Rows of an array: `columns` weights each, in groups of digit planes, with or without strips of `strip_rows` cells at their ends.
int64_t bit_serial_cells(int columns, int groups, int planes, bool strips, int strip_rows);

/// Bounding box and times of map_bit_serial without defects, in closed form. Weights and residents are not looked at (they may be left out
/// of `form`): only columns, the number of groups and planes, start words, residual words and what happens at the row ends.
BitSerialSize bit_serial_size(const BitSerialForm& form);

/// `input_bits`: of the kernel; every word and resident digit lies below it. The kernel relies on no defect of the tile whose north-west
/// corner it takes: where the regular plan would, it takes more cells and cycles (docs/defects.md), at the same II. Throws Error if no
/// layout goes around them.
MappedKernel map_bit_serial(const std::string& name, const BitSerialForm& form, uint32_t input_bits, const Defects& defects = {});

}  // namespace bitgrid::mapping
