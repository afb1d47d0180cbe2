// Files of grid configurations: lutgrid-v1 JSON, BGBS bitstreams, and the original engine's grid.txt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/grid_config.h"

namespace bitgrid::frontend {

/// The order of the cells in a BGBS payload.
enum class BgbsOrder : uint8_t { kRow = 0, kColumn = 1, kSnake = 2 /* odd rows right to left */ };

/// What a reader does if the payload does not match its CRC-32: throw, or return the grid with crc_ok = false.
enum class BgbsCheck : uint8_t { kStrict, kReport };

struct BgbsGrid {
  GridConfig grid;
  BgbsOrder order = BgbsOrder::kRow;
  bool crc_ok = true;
};

inline constexpr size_t kBgbsHeaderBytes = 24;

/// What the header of a BGBS bitstream says.
struct BgbsHeader {
  int width = 0;
  int height = 0;
  BgbsOrder order = BgbsOrder::kRow;
  uint32_t crc = 0;  // CRC-32 of the payload
};

/// A grid from any file. `initial_inputs` are the input latches in the original engine's files (one nibble per cell, row by row, N=1, E=2,
/// S=4, W=8); empty if the file gives none.
struct GridFile {
  GridConfig grid;
  std::vector<uint8_t> initial_inputs;
};

// Text and bytes. `source` names the file in messages. Readers throw Error (file, position, what is wrong, cure).
std::string print_lutgrid(const GridConfig& grid);  // all-zero cells are left out
GridConfig parse_lutgrid(std::string_view text, const std::string& source);
std::string print_bgbs(const GridConfig& grid, BgbsOrder order = BgbsOrder::kRow);  // throws Error if the grid has more than 2^26 - 1 cells
/// `start` is at least the header of a bitstream of `bytes` bytes, or all of a shorter one.
BgbsHeader parse_bgbs_header(std::string_view start, uint64_t bytes, const std::string& source);
BgbsGrid parse_bgbs(std::string_view bytes, const std::string& source, BgbsCheck check = BgbsCheck::kStrict);
std::string print_grid_text(const GridFile& file);
GridFile parse_grid_text(std::string_view text, const std::string& source);

/// Reads a file of any known convention (open_grid).
GridFile read_grid(const std::string& path);

}  // namespace bitgrid::frontend
