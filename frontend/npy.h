// numpy's file format for one array (numpy.lib.format): .npy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitgrid::frontend {

/// An array of numbers, row-major. All number types are read as doubles.
struct NpyArray {
  std::vector<size_t> shape;
  std::vector<double> values;

  /// Returns the number of elements in one entry of the first dimension.
  size_t row_size() const;
  size_t rows() const { return shape.empty() ? 1 : shape[0]; }
};

/// Throws Error (file, problem, cure) if it is not a .npy file, is truncated, is in Fortran order, or does not have a type of numbers with
/// at most 64 bits.
NpyArray read_npy(const std::string& path);
NpyArray parse_npy(const std::string& bytes, const std::string& source);

/// Returns the bytes of an array of int64.
std::string npy_bytes(const std::vector<uint64_t>& shape, const std::vector<int64_t>& values);

}  // namespace bitgrid::frontend
