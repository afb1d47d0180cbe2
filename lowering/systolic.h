// The systolic strategy: a matrix of digits (constant or resident in LUT contents) times word streams, and what happens to the sums at the
// row ends. Sources: shared construction of the project (docs/stamps.md): 2-cell word-serial multiply-accumulate, Horner combination of
// digit planes, clamp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/mapped_kernel.h"

namespace bitgrid {

/// Consecutive input bits of the kernel that form an unsigned number, bit 0 first.
struct Word {
  uint32_t first = 0;  // index of bit 0 among the kernel's input bits
  uint32_t bits = 0;
  uint32_t shift = 0;  // bit k travels in slot k + shift: the number counts 2^shift times
  uint64_t max = 0;    // largest value that occurs (before the shift)
  uint64_t rest = 0;   // value while no invocation enters (MappedKernel::resting_ones)
};

/// A weight in LUT contents that an input bit chooses: `zero` or `one`, each in -1 .. 1.
struct ResidentDigit {
  uint32_t bit = 0;
  int8_t zero = 0;
  int8_t one = 0;
};

/// One row of cells: start + sum of digit[c] * column[c]. Exactly one of `weights` and `residents` has an entry for each column.
struct PlaneRow {
  std::vector<int8_t> weights;  // -1, 0, 1
  std::vector<ResidentDigit> residents;
  int64_t start = 0;               // constant first partial sum: must keep every partial sum >= 0
  std::optional<Word> start_word;  // or an input word in its place
};

/// One sum: planes, most significant first, combined as sum of 2^p * plane p, plus an input word added at the row end.
struct RowGroup {
  std::vector<PlaneRow> planes;
  std::optional<Word> residual;
  int multiplier = 1;  // with SystolicForm::multiply: z = (sum + strip_constant) * multiplier + multiplier_constant, 7 bits dropped
  int multiplier_constant = 0;
};

/// Saturation of the sum: see lowering/stamps/row_end.h.
struct ClampForm {
  int shift = 0;
  int sign = 0;
  int width = 0;
  bool low = false;
};

/// What a kernel computes, as arrays of digits. Output bits: the raw sums of all groups (raw_bits each), then the results of all groups.
struct SystolicForm {
  std::vector<Word> columns;
  std::vector<RowGroup> groups;
  uint32_t raw_bits = 0;       // > 0: the sums leave as they are, this many bits each
  uint32_t raw_shift = 0;      // from this slot on
  int64_t strip_constant = 0;  // added to the sum on its way to clamp or sign, the same for all groups
  bool multiply = false;       // 8-bit multipliers before the clamp
  std::optional<ClampForm> clamp;
  bool sign = false;
  int word_slots = 0;  // P = II
};

struct SystolicStats {
  int64_t array_cells = 0;   // multiply-accumulate array, bounce row included
  int64_t corner_cells = 0;  // where rows turn into strips
  int64_t strip_cells = 0;   // row-end stamps
};

/// Bits of the kernel's inputs: every word and resident digit lies below it.
MappedKernel map_systolic(const std::string& name, const SystolicForm& form, uint32_t input_bits, SystolicStats* stats = nullptr);

/// Cells of the bounding box that map_systolic would use: for choosing how to cut a layer into kernels.
int64_t systolic_cells(int columns, int groups, int planes, bool strips, int strip_rows);

}  // namespace bitgrid
