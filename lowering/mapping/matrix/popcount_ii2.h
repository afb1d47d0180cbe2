// The interleaved form of a binary or ternary layer with one-bit inputs: popcount and threshold with two outputs on the same rows, in
// alternate cycles, and two inputs a column; II = 2. The construction is described in docs/density.md.
#pragma once

#include <cstdint>
#include <string>

#include "ir/mapped_kernel.h"
#include "lowering/mapping/matrix/popcount_wave.h"

namespace bitgrid::mapping {

/// strategy "popcount-ii2", II = 2; input and output bits as in map_popcount_wave. Throws Error (kernel, row, what is wrong) as that does.
MappedKernel map_popcount_ii2(const std::string& name, const PopcountForm& form);

/// One part of a layer that is wider than a tile: the running counts that one part hands to the next are its output bits and, after its own
/// inputs, the input bits of the next (popcount_ii2_state_bits of them, in the same order). Answers leave the last part. Throws Error also
/// if the part is empty or lies outside the inputs.
MappedKernel map_popcount_ii2(const std::string& name, const PopcountForm& form, const InputPart& part);

/// Bits of the running counts between two parts.
uint32_t popcount_ii2_state_bits(const PopcountForm& form);
/// What they mean.
CountState popcount_ii2_state(const PopcountForm& form);

/// Width and height of the whole layer, without laying it.
struct PopcountIi2Size {
  int columns = 0;
  int rows = 0;
  int64_t cells() const { return int64_t{columns} * rows; }
};
PopcountIi2Size popcount_ii2_size(const PopcountForm& form);

}  // namespace bitgrid::mapping
