// The interleaved form of a binary or ternary layer with one-bit inputs: popcount and threshold with two outputs on the same rows, in
// alternate cycles, and two inputs per column; II = 2. docs/density.md describes the construction.
#pragma once

#include <cstdint>
#include <string>

#include "ir/mapped_kernel.h"
#include "lowering/mapping/matrix/popcount_wave.h"

namespace bitgrid::mapping {

/// Strategy "popcount-ii2", II = 2. Input and output bits are those of map_popcount_wave. Throws Error (kernel, row, what is wrong) in the
/// same cases.
MappedKernel map_popcount_ii2(const std::string& name, const PopcountForm& form);

/// Maps one part of a layer that is wider than a tile. The running counts that one part passes to the next are its output bits and, after
/// its own inputs, the input bits of the next (popcount_ii2_state_bits of them, in the same order). The last part gives the answers. Also
/// throws Error if the part is empty or lies outside the inputs.
MappedKernel map_popcount_ii2(const std::string& name, const PopcountForm& form, const InputPart& part);

/// Returns the number of bits of the running counts between two parts.
uint32_t popcount_ii2_state_bits(const PopcountForm& form);
/// Returns what they mean.
CountState popcount_ii2_state(const PopcountForm& form);

/// Width and height of the whole layer, computed without laying it.
struct PopcountIi2Size {
  int columns = 0;
  int rows = 0;
  int64_t cells() const { return int64_t{columns} * rows; }
};
PopcountIi2Size popcount_ii2_size(const PopcountForm& form);

}  // namespace bitgrid::mapping
