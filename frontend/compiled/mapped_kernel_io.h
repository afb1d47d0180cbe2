// Files of a mapped kernel: STEM.json (everything except the cells, one slot per line) and STEM.bgbs (the cells).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "frontend/grids/grid_io.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::frontend {

struct MappedKernelFile {
  MappedKernel kernel;
  bool crc_ok = true;  // of the cells; false only with BgbsCheck::kReport
};

/// Returns JSON text without the cells. Equal kernels give equal bytes. Slots are lists: input [bit, side, position, phase, hold], output
/// [side, position, phase], constant [side, position, phase, "bits"], resident [bit, x, y, "word 0", "word 1"].
std::string print_mapped_kernel(const MappedKernel& kernel);

/// Returns the kernel of that text with an all-zero grid of the stated size. Throws Error with source, list and entry.
MappedKernel parse_mapped_kernel(std::string_view text, const std::string& source);

/// The bytes of both files.
struct MappedKernelBytes {
  std::string json, bgbs;
  uint64_t hash() const;
};
/// Throws Error if the grid does not fit BGBS.
MappedKernelBytes print_mapped_kernel_files(const MappedKernel& kernel);
/// Throws Error with the file that cannot be read.
MappedKernelBytes read_mapped_kernel_files(const std::string& stem);
/// Verifies the kernel. Throws Error with the file. With kReport, a CRC mismatch of the cells is only reported.
MappedKernelFile parse_mapped_kernel_files(const MappedKernelBytes& bytes, const std::string& stem, BgbsCheck check = BgbsCheck::kStrict);

/// Writes STEM.json and STEM.bgbs. Throws Error if a file cannot be written or the grid does not fit BGBS.
void write_mapped_kernel(const MappedKernel& kernel, const std::string& stem);
/// Reads and parses both.
MappedKernelFile read_mapped_kernel(const std::string& stem, BgbsCheck check = BgbsCheck::kStrict);

}  // namespace bitgrid::frontend
