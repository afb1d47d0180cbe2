// A constant matrix times a tensor, and what follows at the row ends: the numbers of one layer, and kernels that each compute some of its
// rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/model.h"
#include "ir/program.h"
#include "lowering/numerics/row_end.h"

namespace bitgrid::numerics {

/// y[r] = sum over c of weights[r][c] * operand[c] (+ residual[r]). The sums leave unchanged (`raw`), through the activation, or both.
struct MatrixLayer {
  std::string name;                           // for messages
  const Tensor* operand = nullptr;            // none: y = residual
  std::vector<std::vector<int64_t>> weights;  // [row][column]; without an operand: rows without columns
  const Tensor* residual = nullptr;
  Activation activation;  // monostate: none
  bool raw = false;
  std::vector<int32_t> bias;  // for sums without activation: one per row, or empty
};

/// Constants and widths of a MatrixLayer. The word at the row end is sum[r] = (y[r] << word_shift) + sum_offset[r].
struct MatrixPlan {
  std::vector<std::vector<int64_t>> weights;  // with multipliers folded in if the activation needs it
  std::vector<int64_t> start;                 // constant of each row's stream: sum = start + sum of weights * codes (+ residual code)
  std::vector<int64_t> sum_offset;
  int word_shift = 0;  // all words enter this many slots later; this applies to everything counted here except `y` and the raw sums
  int64_t strip_constant = 0;
  std::optional<RowEnd> end;
  int word_slots = 0;
  Encoding raw_encoding;  // of the sums
  std::vector<uint64_t> raw_max_code;
  std::vector<Range> y;  // of the rows' sums, without folded multipliers
};

/// Throws Error if the numbers of the layer have no mapping.
MatrixPlan plan_matrix(const MatrixLayer& layer);

/// Returns rows first .. first + count - 1 as a kernel. Inputs: "x" (operand), "r" (residual); outputs: "sum" (raw), "y" (activation).
Kernel matrix_kernel(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, int first, int count);

/// Returns only the form.
BitSerialForm matrix_form(const MatrixLayer& layer, const MatrixPlan& plan, int first, int count);

/// Returns rows first .. first + count - 1 of the layer in this form, if they have it: a one-bit operand, weights -1, 0, 1, and nothing but
/// a sign at the row ends. The kernel that matrix_kernel makes of the same rows defines its meaning.
std::optional<PopcountForm> popcount_form(const MatrixLayer& layer, int first, int count);

}  // namespace bitgrid::numerics
