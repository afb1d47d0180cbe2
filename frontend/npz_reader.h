// numpy's files of several arrays: .npz, which is a zip file of .npy files.
#pragma once

#include <string>
#include <vector>

#include "frontend/npy.h"

namespace bitgrid::frontend {

struct NpzEntry {
  std::string name;  // without ".npy"
  NpyArray array;
};

/// The arrays in the file's order, as numpy.savez and numpy.savez_compressed write them. Throws Error (file and array, problem, cure); also
/// in builds without libzip.
std::vector<NpzEntry> read_npz(const std::string& path);
std::vector<NpzEntry> parse_npz(const std::string& bytes, const std::string& source);

}  // namespace bitgrid::frontend
