// numpy's files of one array (numpy.lib.format): .npy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitgrid::frontend {

/// An array of numbers, row-major. Every type of number is read as doubles.
struct NpyArray {
  std::vector<size_t> shape;
  std::vector<double> values;

  /// Elements of one entry of the first dimension.
  size_t row_size() const;
  size_t rows() const { return shape.empty() ? 1 : shape[0]; }
};

/// Throws Error (file, problem, cure): not a .npy file, cut off, of Fortran's order, or of a type that is no number of at most 64 bits.
NpyArray read_npy(const std::string& path);
NpyArray parse_npy(const std::string& bytes, const std::string& source);

/// The bytes of an array of int64.
std::string npy_bytes(const std::vector<uint64_t>& shape, const std::vector<int64_t>& values);

}  // namespace bitgrid::frontend
