// Streamed matrices: activations stay in LUT contents, and rows of weights stream past them, two bits per column, with a new row every 3
// cycles. docs/streaming.md describes the construction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/kernel_form.h"
#include "ir/mapped_kernel.h"
#include "lowering/mapping/matrix/bit_serial.h"

namespace bitgrid::mapping {

/// Cycles from one row of weights to the next.
inline constexpr int kStreamedII = 3;

/// Throws Error (kernel, column, what is wrong, cure) unless there are columns, each table has 2 or 4 entries below 2^table_bits with entry
/// 0 equal to 0, the sum is wider than a table entry and has at most 64 bits, and the start has no more bits than the sum.
void check_form(const std::string& name, const StreamedForm& form);

/// Strategy "streamed-pairs". `input_bits` is that of the kernel. Throws what check_form throws.
MappedKernel map_streamed_pairs(const std::string& name, const StreamedForm& form, uint32_t input_bits);

/// Returns the size of map_streamed_pairs without laying a cell. It depends only on the number of columns, the bits of tables and sum, and
/// the start.
BitSerialSize streamed_pairs_size(const StreamedForm& form);

/// Bits of a cell's word that a table determines: the bits in `mask` equal those of `word`.
struct CellBits {
  int x = 0;
  int y = 0;
  CellWord mask = 0;
  CellWord word = 0;
};

/// Returns everything in a mapped kernel that depends on the tables: table_bits bits per entry. Kernels whose forms differ only in their
/// tables differ only in these bits.
std::vector<CellBits> streamed_table_bits(const StreamedForm& form);

/// Replaces the resident operand: `grid` becomes that of `form`. It must be the grid of a form that differs only in its tables.
void reload_tables(GridConfig& grid, const StreamedForm& form);

}  // namespace bitgrid::mapping
