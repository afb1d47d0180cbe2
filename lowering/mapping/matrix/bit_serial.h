// The bit-serial strategy: a matrix of digits (constant or resident in LUT contents) times word streams, and what happens to the sums at
// the row ends (docs/stamps.md). It first plans the place of everything (regular_plan.h, or detour_plan.h around defects), then lays the
// plan.
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
  int latency_cycles = 0;  // as in latency_cycles(MappedKernel)
  int64_t cells() const { return int64_t{width} * height; }
};

/// Returns the cells of an array whose rows have `columns` weights each and form groups of digit planes, with or without strips of
/// `strip_rows` cells at their ends.
int64_t bit_serial_cells(int columns, int groups, int planes, bool strips, int strip_rows);

/// Returns bounding box and times of map_bit_serial without defects, in closed form. It ignores weights and residents, which may be missing
/// from `form`. It uses only the columns, the number of groups and planes, start words, residual words, and what happens at the row ends.
BitSerialSize bit_serial_size(const BitSerialForm& form);

/// `input_bits` is that of the kernel; all words and resident digits lie below it. The kernel relies on no defect of the tile whose
/// north-west corner it takes. Where the regular plan would, it takes more cells and cycles (docs/defects.md) at the same II. Throws Error
/// if no layout avoids the defects.
MappedKernel map_bit_serial(const std::string& name, const BitSerialForm& form, uint32_t input_bits, const Defects& defects = {});

}  // namespace bitgrid::mapping
