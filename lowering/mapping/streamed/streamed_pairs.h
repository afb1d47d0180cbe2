// Streamed matrices: activations stay in LUT contents, rows of weights stream past them, two bits a column, a new row every 3 cycles. The
// construction is described in docs/streaming.md.
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

/// Throws Error (kernel, column, what is wrong, cure) unless there are columns, tables of 2 or 4 entries below 2^table_bits whose entry 0
/// is 0, a sum wider than a table entry and of at most 64 bits, and a start of no more bits than the sum.
void check_form(const std::string& name, const StreamedForm& form);

/// Strategy "streamed-pairs". `input_bits`: of the kernel. Throws what check_form throws.
MappedKernel map_streamed_pairs(const std::string& name, const StreamedForm& form, uint32_t input_bits);

/// Of map_streamed_pairs, without laying a cell. Depends on the number of columns, the bits of tables and sum, and the start only.
BitSerialSize streamed_pairs_size(const StreamedForm& form);

/// Bits of a cell's word that a table determines: those of `mask` are those of `word`.
struct CellBits {
  int x = 0;
  int y = 0;
  CellWord mask = 0;
  CellWord word = 0;
};

/// Everything in a mapped kernel that depends on the tables: table_bits bits for each entry. Kernels of forms that differ in their tables
/// only differ in these bits only.
std::vector<CellBits> streamed_table_bits(const StreamedForm& form);

/// The resident operand is replaced: `grid` becomes that of `form`. `grid` is that of a form that differs in its tables only.
void reload_tables(GridConfig& grid, const StreamedForm& form);

}  // namespace bitgrid::mapping
