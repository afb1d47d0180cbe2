// Matrices whose weights stream past resident numbers, as kernels: an invocation is a row of weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/program.h"

namespace bitgrid::mapping {

/// What the bits of a streamed weight mean: code first + k stands for values[k]. Codes below `first` are not used.
struct WeightCode {
  uint32_t bits = 1;
  std::vector<int64_t> values;
  uint32_t first = 0;

  uint64_t codes() const { return uint64_t{1} << bits; }
};
/// 0 .. 2^bits - 1.
WeightCode unsigned_weights(uint32_t bits);
/// 2 bits: -1, 0, 1 as 1, 2, 3.
WeightCode ternary_weights();

/// y = start + sum over i of weight_i * x_i for a row of weights.
struct StreamedMatrix {
  std::vector<int64_t> x;       // resident
  int64_t least = 0, most = 0;  // of all x that the same layout is to take: it depends on these and on the number of x only
  WeightCode weights;
  uint64_t start_max = 0;   // > 0: the start is an input word, 0 .. start_max
  uint32_t start_bits = 0;  // of that word; 0: as many as start_max has
};

/// A streamed matrix in the form of pairs of bits.
struct StreamedPlan {
  StreamedForm form;
  int64_t offset = 0;    // tables hold no negative numbers: the kernel's sum is y + offset, for all x from `least` to `most`
  uint64_t sum_max = 0;  // of the kernel's sum, likewise
};

/// Two one-bit weights share a column; weights of more bits take a column for every two bits. Code 0 adds nothing: at rest the clocks of
/// the array rely on it. So either it is not used, or it stands for 0 and no product is negative: signed x become codes from 0, and the
/// starts of the rows take off what that adds. Throws Error (kernel, what is wrong, cure) if that is not so, there is no x, an x lies
/// outside least .. most, the values of weights of more than two bits do not rise by equal steps, or sums have more than 62 bits.
StreamedPlan plan_streamed(const std::string& name, const StreamedMatrix& matrix);

/// The kernel: inputs `weights` (one code for each x) and `start` (if it is a word), output `sum` of y + offset. Its Dag says so weight by
/// weight. Throws what plan_streamed throws.
Kernel streamed_kernel(const std::string& name, const StreamedMatrix& matrix);

/// The same with the tables' numbers as input words, which live in LUT contents: one kernel for all matrices of a width.
struct StreamedShape {
  int inputs = 0;
  int64_t least = 0, most = 0;  // of all x
  WeightCode weights;           // of one bit, or ternary
};

/// Resident input `tables` (table_words words, column by column), input `weights` (a code for each x), output `sum`: with ternary weights
/// y + 2^(sum_bits - 1), with one-bit weights the sum of weight * (x - least). Throws what plan_streamed throws, and for other weights.
Kernel streamed_kernel(const std::string& name, const StreamedShape& shape);
/// Words of a table that follow from x: 3 for each two inputs of one-bit weights (x1, x2, x1 + x2, all less `least`; the last column of an
/// odd number has 1), 2 for each input of ternary ones (o - x, o + x; o = table_offset).
int table_words(const StreamedShape& shape);
uint32_t table_bits(const StreamedShape& shape);
int64_t table_offset(const StreamedShape& shape);

/// Weights of many bits, the other way: an invocation of the kernel for one-bit weights for each of their bits. This kernel adds the sums
/// of `planes` of them, bit 0 first: sum of 2^p * plane_p, each 0 .. plane_max. `negative_top`: weights are in two's complement, the last
/// plane is subtracted, and the sum is greater by `plane_sum_offset`. It is word-serial, one bit of its sum a cycle.
Kernel plane_sum_kernel(const std::string& name, int planes, uint64_t plane_max, bool negative_top = false);
uint64_t plane_sum_offset(int planes, uint64_t plane_max);

/// The same matrix over several tiles: parts of at most `inputs` numbers, each of which takes the sum of the one before as its start. The
/// offsets of the parts add up. `inputs` is even, at least 2.
std::vector<StreamedMatrix> cut_streamed(const std::string& name, const StreamedMatrix& matrix, int inputs);

}  // namespace bitgrid::mapping
