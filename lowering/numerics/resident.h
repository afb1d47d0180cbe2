// A matrix in LUT contents that changes between tokens (keys, values), times word streams.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/model.h"
#include "ir/model_ranges.h"
#include "ir/program.h"
#include "lowering/numerics/matrix.h"
#include "lowering/numerics/row_end.h"

namespace bitgrid::numerics {

/// rows x columns numbers in one encoding. As a kernel input they are ordered by slot, [slot][channel]. The slots are the rows (scores: one
/// row per key) or the columns (mix: one column per value).
struct ResidentMatrix {
  int rows = 0;
  int columns = 0;
  Encoding encoding;
  bool slots_are_rows = true;

  int index(int row, int column) const { return slots_are_rows ? row * columns + column : column * rows + row; }
};

/// An input word for each row, added at the row end: value = code + zero.
struct RowTerm {
  uint32_t bits = 0;
  uint64_t max = 0;  // largest code
  int64_t zero = 0;
};

/// y[r] = sum over c of matrix[r][c] * code of stream[c] << stream_shift (+ start[r]) (+ term[r]), then the activation.
struct ResidentLayer {
  std::string name;  // for messages
  ResidentMatrix matrix;
  uint32_t stream_bits = 0;
  uint32_t stream_shift = 0;
  uint64_t stream_max = 0;  // largest code
  Activation activation;
  std::optional<Range> start;   // an input word per row, from the west, with values in this range
  std::optional<RowTerm> term;  // and one from the north
};

/// Constants and widths of a ResidentLayer. The word at the row end is sum[r] = (y[r] << left) + end.total[r].
struct ResidentPlan {
  int left = 0;  // streams and row terms enter this many slots later
  RowEnd end;
  int word_slots = 0;
  int64_t upper_guard = 0;  // what the planes above the bottom one add to keep the sum >= 0
  int64_t start_zero = 0;   // the code of a start word is (its value << left) + start_zero
  uint32_t start_bits = 0;
};

/// Returns the code of a start word.
inline uint64_t start_code(const ResidentPlan& plan, int64_t value) {
  return static_cast<uint64_t>(value * (int64_t{1} << plan.left) + plan.start_zero);
}

/// Throws Error if the numbers of the layer have no mapping.
ResidentPlan plan_resident(const ResidentLayer& layer);

/// Inputs: "x" (streams), "start" and "r" (row term) if there are any, "m" (resident). Output: "y".
Kernel resident_kernel(const ResidentLayer& layer, const ResidentPlan& plan, const std::string& name);

/// Returns only the form.
BitSerialForm resident_form(const ResidentLayer& layer, const ResidentPlan& plan);

/// Returns the range of matrix row times streams plus row term, over all codes.
Range resident_sums(const ResidentLayer& layer);

}  // namespace bitgrid::numerics
