// numpy's file format for several arrays: .npz is a ZIP archive of .npy files (numpy.lib.format, version 1.0). Archives are written without
// compression.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/output_file.h"

namespace bitgrid::frontend {

struct NamedArray {
  std::string name;
  std::vector<uint64_t> shape;
  std::vector<int64_t> values;  // row-major
};

/// Writes little-endian arrays of int64 and finishes the file. Throws Error if it cannot be written or is larger than 4 GB.
void write_npz(OutputFile& file, const std::vector<NamedArray>& arrays);

}  // namespace bitgrid::frontend
