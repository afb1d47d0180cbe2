// The parallel form of a fully binary (or ternary) layer: one-bit inputs, popcount and threshold in wave mode, II = 1. The construction is
// described in docs/density.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/mapped_kernel.h"
#include "lowering/matrix.h"

namespace bitgrid {

/// One output: 1 if at least `theta` inputs agree with their weight. Input bit 1 agrees with weight +1, bit 0 with weight -1; weight 0
/// never agrees. Any theta: 0 or less is the constant 1, more than there are weights besides 0 the constant 0.
struct PopcountRow {
  std::vector<int8_t> weights;  // -1, 0, 1; one for each input
  int64_t theta = 0;
};

/// What an input adds to the count: 1 if it agrees with its weight.
inline int agrees(bool x, int8_t weight) {
  return weight == 0 ? 0 : weight > 0 ? x : !x;
}

/// Input bit c of the kernel is input c, output bit r is row r.
struct DenseBinaryForm {
  uint32_t inputs = 0;
  std::vector<PopcountRow> rows;
};

/// A layer that is wider than a tile is cut into parts of consecutive inputs, each at least kLeastPart wide. Every part but the last hands
/// its running counts to the next: they are output bits of the one and the input bits, after its own inputs, of the other
/// (dense_popcount_state_bits of them, in the same order). Answers leave the last part.
struct InputPart {
  uint32_t first = 0;
  uint32_t count = 0;
};
inline constexpr uint32_t kLeastPart = 4;

struct DensePopcountStats {
  bool parity_lines = false;  // no weight is 0: prefix parities in the place of inputs
  int columns = 0;
  int rows = 0;
  int64_t cells = 0;
  double macs_per_cell_per_cycle = 0;  // weights that are 0 count like the others
};

/// strategy "parallel", II = 1. Throws Error (kernel, row, what is wrong) if a row has not one weight for each input, or one beyond -1 ..
/// 1, or there is no input or no row.
MappedKernel map_dense_popcount(const std::string& name, const DenseBinaryForm& form, DensePopcountStats* stats = nullptr);
/// One part of it. Throws Error also if the part lies outside the inputs or is too narrow.
MappedKernel map_dense_popcount(const std::string& name, const DenseBinaryForm& form, const InputPart& part,
                                DensePopcountStats* stats = nullptr);

/// Throws Error unless every row has a weight of -1, 0 or 1 for each input, and there are inputs and rows.
void check_form(const std::string& name, const DenseBinaryForm& form);

/// Cells that map_dense_popcount uses, without laying them.
int64_t dense_popcount_cells(const DenseBinaryForm& form);

/// Bits of the running counts between two parts.
uint32_t dense_popcount_state_bits(const DenseBinaryForm& form);

/// A running count as it crosses the cut between two parts: bits below `top` are the count modulo 2^top, bit `top` says whether it has ever
/// reached 2^top, which is the answer (or its inverse).
struct RunningCount {
  size_t output = 0;
  std::vector<int8_t> weights;  // as counted: complemented where the answer is inverted
  int top = 0;
  uint64_t start = 0;  // before the first part; less than 2^top
  bool invert = false;
  std::vector<int> bit;  // where bit 0 .. top stands among the state's bits; -1: with `parity`, bit 0 follows from the shared parity
};

/// What the bits between two parts mean.
struct CountState {
  bool parity = false;  // bit 0 of the state is the parity of all inputs so far
  uint32_t bits = 0;
  std::vector<RunningCount> counts;           // of outputs that are not constant
  std::vector<std::optional<bool>> constant;  // [output]
};
CountState dense_popcount_state(const DenseBinaryForm& form);

/// Width and height of a part (of the whole layer: {0, form.inputs}).
std::pair<int, int> dense_popcount_size(const DenseBinaryForm& form, const InputPart& part);

/// Rows first .. first + count - 1 of the layer if it has this form: one-bit operand, weights -1, 0, 1, a sign and nothing else at the row
/// ends. The kernel that matrix_kernel makes of the same rows is its meaning.
std::optional<DenseBinaryForm> dense_binary_form(const MatrixLayer& layer, int first, int count);

}  // namespace bitgrid
