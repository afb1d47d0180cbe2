// The parallel form of a fully binary (or ternary) layer: one-bit inputs, popcount and threshold in wave mode, II = 1. docs/density.md
// describes the construction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/kernel_form.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::mapping {

/// Returns what an input adds to the count: 1 if it agrees with its weight.
inline int agrees(bool x, int8_t weight) {
  return weight == 0 ? 0 : weight > 0 ? x : !x;
}

inline constexpr uint32_t kLeastPart = 4;

struct PopcountWaveStats {
  bool parity_lines = false;  // no weight is 0, and prefix parities replace inputs
  int columns = 0;
  int rows = 0;
  int64_t cells = 0;
  double macs_per_cell_per_cycle = 0;  // weights that are 0 count like the others
};

/// Strategy "popcount-wave", II = 1. Throws Error (kernel, row, what is wrong) if there are no inputs or no rows, if a row does not have
/// one weight per input, or if a weight is not -1 .. 1.
MappedKernel map_popcount_wave(const std::string& name, const PopcountForm& form, PopcountWaveStats* stats = nullptr);
/// Maps one part of the layer. Also throws Error if the part lies outside the inputs or is too narrow.
MappedKernel map_popcount_wave(const std::string& name, const PopcountForm& form, const InputPart& part,
                               PopcountWaveStats* stats = nullptr);

/// Throws Error if there are no inputs or no rows, or if a row does not have a weight of -1, 0 or 1 for each input.
void check_form(const std::string& name, const PopcountForm& form);

/// Returns the cells that map_popcount_wave uses, without laying them.
int64_t popcount_wave_cells(const PopcountForm& form);

/// Returns the number of bits of the running counts between two parts.
uint32_t popcount_wave_state_bits(const PopcountForm& form);

/// A running count as it crosses the cut between two parts. The bits below `top` are the count modulo 2^top. Bit `top` says whether it has
/// ever reached 2^top, which is the answer (or its inverse).
struct RunningCount {
  size_t output = 0;
  std::vector<int8_t> weights;  // as counted: complemented if the answer is inverted
  int top = 0;
  uint64_t start = 0;  // before the first part; less than 2^top
  bool invert = false;
  std::vector<int> bit;  // position of bits 0 .. top among the state's bits; -1: with `parity`, bit 0 follows from the shared parity
};

/// What the bits between two parts mean.
struct CountState {
  bool parity = false;  // bit 0 of the state is the parity of all inputs so far
  uint32_t bits = 0;
  std::vector<RunningCount> counts;           // of outputs that are not constant
  std::vector<std::optional<bool>> constant;  // [output]
};
CountState popcount_wave_state(const PopcountForm& form);

/// Returns width and height of a part (of the whole layer: {0, form.inputs}).
std::pair<int, int> popcount_wave_size(const PopcountForm& form, const InputPart& part);

}  // namespace bitgrid::mapping
