// Kernels for matrices whose weights stream past resident numbers. An invocation is a row of weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/program.h"

namespace bitgrid::mapping {

/// What the bits of a streamed weight mean: code first + k represents values[k]. Codes below `first` are not used.
struct WeightCode {
  uint32_t bits = 1;
  std::vector<int64_t> values;
  uint32_t first = 0;

  uint64_t codes() const { return uint64_t{1} << bits; }
};
/// Returns the values 0 .. 2^bits - 1.
WeightCode unsigned_weights(uint32_t bits);
/// Returns the values -1, 0, 1 as the 2-bit codes 1, 2, 3.
WeightCode ternary_weights();

/// y = start + sum over i of weight_i * x_i for a row of weights.
struct StreamedMatrix {
  std::vector<int64_t> x;       // resident
  int64_t least = 0, most = 0;  // range of all x that the same layout must accept; the layout depends only on it and on the number of x
  WeightCode weights;
  uint64_t start_max = 0;   // > 0: the start is an input word, 0 .. start_max
  uint32_t start_bits = 0;  // of that word; 0: as many as start_max needs
};

/// A streamed matrix in the form of pairs of bits.
struct StreamedPlan {
  StreamedForm form;
  int64_t offset = 0;    // tables hold no negative numbers: the kernel's sum is y + offset, for all x from `least` to `most`
  uint64_t sum_max = 0;  // largest sum of the kernel, also for all such x
};

/// Two one-bit weights share a column; wider weights take one column for every two bits. Code 0 must add nothing, because the clocks of the
/// array rely on that at rest. So either it is not used, or it represents 0 and no product is negative. Signed x therefore become codes
/// from 0 up, and the starts of the rows subtract what that adds. Throws Error (kernel, what is wrong, cure) if that is not so, if there is
/// no x, if an x lies outside least .. most, if the values of weights of more than two bits do not rise in equal steps, or if sums have
/// more than 62 bits.
StreamedPlan plan_streamed(const std::string& name, const StreamedMatrix& matrix);

/// Returns the kernel with inputs `weights` (one code per x) and `start` (if it is a word), and output `sum` of y + offset. Its Dag
/// computes it weight by weight. Throws what plan_streamed throws.
Kernel streamed_kernel(const std::string& name, const StreamedMatrix& matrix);

/// The same with the tables' numbers as input words, which live in LUT contents. One kernel serves all matrices of a width.
struct StreamedShape {
  int inputs = 0;
  int64_t least = 0, most = 0;  // of all x
  WeightCode weights;           // one-bit or ternary
};

/// Returns the kernel with resident input `tables` (table_words words, column by column), input `weights` (one code per x) and output
/// `sum`. With ternary weights the sum is y + 2^(sum_bits - 1); with one-bit weights it is the sum of weight * (x - least). Throws what
/// plan_streamed throws, and refuses other weights.
Kernel streamed_kernel(const std::string& name, const StreamedShape& shape);
/// Returns the number of table words that follow from x. Each two inputs of one-bit weights have 3 (x1, x2, x1 + x2, all less `least`; the
/// last column of an odd number has 1). Each input of ternary weights has 2 (o - x, o + x; o = table_offset).
int table_words(const StreamedShape& shape);
uint32_t table_bits(const StreamedShape& shape);
int64_t table_offset(const StreamedShape& shape);

/// Another way to handle weights of many bits: the kernel for one-bit weights is invoked once for each of their bits, and this kernel adds
/// the sums of `planes` of them, bit 0 first: sum of 2^p * plane_p, each 0 .. plane_max. With `negative_top`, weights are in two's
/// complement: the last plane is subtracted, and the sum is greater by `plane_sum_offset`. The kernel is word-serial, with one bit of its
/// sum per cycle.
Kernel plane_sum_kernel(const std::string& name, int planes, uint64_t plane_max, bool negative_top = false);
uint64_t plane_sum_offset(int planes, uint64_t plane_max);

/// Cuts the matrix for several tiles into parts of at most `inputs` numbers. Each part takes the sum of the previous one as its start. The
/// offsets of the parts add up. `inputs` is even and at least 2.
std::vector<StreamedMatrix> cut_streamed(const std::string& name, const StreamedMatrix& matrix, int inputs);

}  // namespace bitgrid::mapping
