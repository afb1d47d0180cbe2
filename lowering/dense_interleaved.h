// The interleaved form of a binary or ternary layer with one-bit inputs: popcount and threshold with two outputs on the same rows, in
// alternate cycles, and two inputs a column; II = 2. The construction is described in docs/density.md.
#pragma once

#include <cstdint>
#include <string>

#include "ir/mapped_kernel.h"
#include "lowering/dense_popcount.h"

namespace bitgrid {

/// strategy "interleaved", II = 2; input and output bits as in map_dense_popcount. Throws Error (kernel, row, what is wrong) as that does.
MappedKernel map_interleaved_popcount(const std::string& name, const DenseBinaryForm& form);

/// One part of a layer that is wider than a tile: the running counts that one part hands to the next are its output bits and, after its own
/// inputs, the input bits of the next (interleaved_state_bits of them, in the same order). Answers leave the last part. Throws Error also
/// if the part is empty or lies outside the inputs.
MappedKernel map_interleaved_popcount(const std::string& name, const DenseBinaryForm& form, const InputPart& part);

/// Bits of the running counts between two parts.
uint32_t interleaved_state_bits(const DenseBinaryForm& form);
/// What they mean.
CountState interleaved_state(const DenseBinaryForm& form);

/// Width and height of the whole layer, without laying it.
struct InterleavedSize {
  int columns = 0;
  int rows = 0;
  int64_t cells() const { return int64_t{columns} * rows; }
};
InterleavedSize interleaved_size(const DenseBinaryForm& form);

}  // namespace bitgrid
