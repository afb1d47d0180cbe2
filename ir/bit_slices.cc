#include "ir/bit_slices.h"

#include <algorithm>
#include <array>
#include <vector>

#include "ir/dag_eval.h"

namespace bitgrid {
namespace {

size_t rounded(size_t bits) {
  return (bits + 63) / 64 * 64;
}

void gather(const BitMatrix& m, size_t first, size_t rows, std::span<uint64_t> slices) {
  for (size_t word = 0; word < m.stride; ++word) {
    uint64_t* block = &slices[64 * word];
    std::fill_n(block, 64, 0);
    for (size_t r = 0; r < rows; ++r) block[r] = m.words[(first + r) * m.stride + word];
    transpose64(block);
  }
}

void scatter(std::span<uint64_t> slices, size_t first, size_t rows, BitMatrix& m) {
  for (size_t word = 0; word < m.stride; ++word) {
    uint64_t* block = &slices[64 * word];
    transpose64(block);
    for (size_t r = 0; r < rows; ++r) m.words[(first + r) * m.stride + word] = block[r];
  }
}

}  // namespace

BitMatrix evaluate_slices(const BitMatrix& inputs, size_t outputs,
                          const std::function<void(std::span<const uint64_t>, std::span<uint64_t>)>& evaluate) {
  BitMatrix result(inputs.rows, outputs);
  std::vector<uint64_t> in(rounded(inputs.cols)), out(rounded(outputs));
  for (size_t first = 0; first < inputs.rows; first += 64) {
    const size_t rows = std::min<size_t>(64, inputs.rows - first);
    gather(inputs, first, rows, in);
    std::fill(out.begin(), out.end(), 0);
    evaluate(std::span(in).first(inputs.cols), std::span(out).first(outputs));
    scatter(out, first, rows, result);
  }
  return result;
}

}  // namespace bitgrid
