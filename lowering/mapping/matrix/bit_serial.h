// The systolic strategy: a matrix of digits (constant or resident in LUT contents) times word streams, and what happens to the sums at the
// row ends. Sources: shared construction of the project (docs/stamps.md): 2-cell word-serial multiply-accumulate, Horner combination of
// digit planes, clamp.
#pragma once

#include <cstdint>
#include <string>

#include "ir/kernel_form.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::mapping {

struct BitSerialStats {
  int64_t array_cells = 0;   // multiply-accumulate array, bounce row included
  int64_t corner_cells = 0;  // where rows turn into strips
  int64_t strip_cells = 0;   // row-end stamps
};

/// Bits of the kernel's inputs: every word and resident digit lies below it.
MappedKernel map_bit_serial(const std::string& name, const BitSerialForm& form, uint32_t input_bits, BitSerialStats* stats = nullptr);

/// Cells of the bounding box that map_bit_serial would use: for choosing how to cut a layer into kernels.
int64_t bit_serial_cells(int columns, int groups, int planes, bool strips, int strip_rows);

}  // namespace bitgrid::mapping
