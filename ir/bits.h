// Bit vectors and bit matrices: the values that go into and come out of kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bitgrid {

/// A vector of `width` bits, bit 0 least significant. Bits above `width` in the last word are 0.
struct BitVector {
  uint32_t width = 0;
  std::vector<uint64_t> words;  // (width + 63) / 64

  BitVector() = default;
  explicit BitVector(uint32_t bits, uint64_t value = 0);

  bool get(uint32_t i) const { return (words[i / 64] >> (i % 64)) & 1u; }
  void set(uint32_t i, bool value) {
    const uint64_t mask = uint64_t{1} << (i % 64);
    words[i / 64] = value ? words[i / 64] | mask : words[i / 64] & ~mask;
  }
  bool operator==(const BitVector&) const = default;
};

/// Returns (width + 3) / 4 hexadecimal digits (at least one), most significant first.
std::string to_hex(const BitVector& v);

/// Reads hexadecimal digits into `width` bits. Throws Error if a digit is bad or a bit above `width` is set.
BitVector from_hex(const std::string& digits, uint32_t width);

/// A batch of invocations: row = invocation, column = input (or output) bit of a kernel.
struct BitMatrix {
  size_t rows = 0;
  size_t cols = 0;
  size_t stride = 0;  // words per row
  std::vector<uint64_t> words;

  BitMatrix() = default;
  BitMatrix(size_t n_rows, size_t n_cols) : rows(n_rows), cols(n_cols), stride((n_cols + 63) / 64), words(n_rows * stride) {}

  bool get(size_t row, size_t col) const { return (words[row * stride + col / 64] >> (col % 64)) & 1u; }
  void set(size_t row, size_t col, bool value) {
    uint64_t& w = words[row * stride + col / 64];
    const uint64_t mask = uint64_t{1} << (col % 64);
    w = value ? w | mask : w & ~mask;
  }
  /// Returns `width` <= 64 bits, starting at column `first`, as a number.
  uint64_t get_word(size_t row, size_t first, unsigned width) const;
  void set_word(size_t row, size_t first, unsigned width, uint64_t value);
  bool operator==(const BitMatrix&) const = default;
};

}  // namespace bitgrid
