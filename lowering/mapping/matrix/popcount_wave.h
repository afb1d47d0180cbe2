// The parallel form of a fully binary (or ternary) layer: one-bit inputs, popcount and threshold in wave mode, II = 1. The construction is
// described in docs/density.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/kernel_form.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::mapping {

/// What an input adds to the count: 1 if it agrees with its weight.
inline int agrees(bool x, int8_t weight) {
  return weight == 0 ? 0 : weight > 0 ? x : !x;
}

inline constexpr uint32_t kLeastPart = 4;

struct PopcountWaveStats {
  bool parity_lines = false;  // no weight is 0: prefix parities in the place of inputs
  int columns = 0;
  int rows = 0;
  int64_t cells = 0;
  double macs_per_cell_per_cycle = 0;  // weights that are 0 count like the others
};

/// strategy "popcount-wave", II = 1. Throws Error (kernel, row, what is wrong) if a row has not one weight for each input, or one beyond -1
/// .. 1, or there is no input or no row.
MappedKernel map_popcount_wave(const std::string& name, const PopcountForm& form, PopcountWaveStats* stats = nullptr);
/// One part of it. Throws Error also if the part lies outside the inputs or is too narrow.
MappedKernel map_popcount_wave(const std::string& name, const PopcountForm& form, const InputPart& part,
                               PopcountWaveStats* stats = nullptr);

/// Throws Error unless every row has a weight of -1, 0 or 1 for each input, and there are inputs and rows.
void check_form(const std::string& name, const PopcountForm& form);

/// Cells that map_popcount_wave uses, without laying them.
int64_t popcount_wave_cells(const PopcountForm& form);

/// Bits of the running counts between two parts.
uint32_t popcount_wave_state_bits(const PopcountForm& form);

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
CountState popcount_wave_state(const PopcountForm& form);

/// Width and height of a part (of the whole layer: {0, form.inputs}).
std::pair<int, int> popcount_wave_size(const PopcountForm& form, const InputPart& part);

}  // namespace bitgrid::mapping
