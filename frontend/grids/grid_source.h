// Grids as streams of rows, from a file of any known convention. A simulator of hundreds of millions of cells cannot hold their
// configuration words as well.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/grids/grid_io.h"
#include "ir/grid_config.h"

namespace bitgrid::frontend {

/// The most cells of a grid that is read as a stream.
inline constexpr int64_t kMostStreamedCells = int64_t{1} << 30;

/// A grid that is read once.
struct GridSource {
  int width = 0;
  int height = 0;
  std::string convention;               // of the file, in words: "lutgrid-v1", "BGBS, row order", ..
  bool foreign = false;                 // another program's own format, translated
  std::vector<uint8_t> initial_inputs;  // as in GridFile
  /// Fills row y (`width` words). Rows are requested in ascending order, each at most once, because their memory is released.
  std::function<void(int y, std::span<CellWord> row)> row;
};

/// What a payload without a header does not say.
struct PayloadLayout {
  int width = 0;
  int height = 0;
  BgbsOrder order = BgbsOrder::kRow;
};

/// The file's content decides the convention: BGBS bitstreams, lutgrid-v1, payloads described by a JSON file, grid.txt, and what the
/// functions of grid_conventions.h read. BGBS payloads, whose CRC-32 is checked first, are read row by row from the file. JSON cells and
/// text go into pages that are released row by row. Throws Error with the file, the position and what is wrong.
GridSource open_grid(const std::string& path);

/// Opens a raw payload: 8 bytes per cell, as in BGBS. Throws Error if the file has another size.
GridSource open_payload(const std::string& path, const PayloadLayout& layout);

/// Reads "row", "column", "snake" and the names of the Python toolchain ("row-major", "col-major"). Throws Error at `where`.
BgbsOrder parse_order(std::string_view text, const std::string& where);
std::string to_string(BgbsOrder order);

/// Streams a grid in memory, which must outlive the source.
GridSource grid_source(const GridConfig& grid);

/// Reads all rows.
GridConfig read_rows(const GridSource& source);

/// Returns the FNV-1a of size and configuration words, which identifies a grid in saved states.
uint64_t grid_hash(const GridSource& source);

}  // namespace bitgrid::frontend
