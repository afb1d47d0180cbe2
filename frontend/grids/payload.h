// Configuration payloads on disk: 8 bytes per cell, the LUTs of N, E, S, W as 16-bit little-endian numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "frontend/grids/grid_source.h"
#include "ir/error.h"

namespace bitgrid::frontend {

/// A payload that starts at a byte of a file. Rows may be read in any order; ascending order is fast.
class PayloadFile {
 public:
  /// Throws Error if the file cannot be opened or does not end where the payload does.
  PayloadFile(const std::string& path, uint64_t first_byte, const PayloadLayout& layout);
  ~PayloadFile();
  PayloadFile(const PayloadFile&) = delete;
  PayloadFile& operator=(const PayloadFile&) = delete;

  uint32_t crc32() const;
  void row(int y, std::span<CellWord> row);

 private:
  void read(uint64_t at, void* bytes, size_t count) const;

  std::string path_;
  uint64_t first_;
  PayloadLayout layout_;
  int file_ = -1;
  // Column order: rows band_first_ .. band_first_ + band_rows_ - 1, column by column.
  int band_first_ = 0, band_rows_ = 0;
  std::vector<uint64_t> band_;
};

/// Returns the error for a payload in `source` whose CRC-32 is `crc`, while its header says `said`.
Error payload_damaged(const std::string& source, uint32_t crc, uint32_t said);

/// Converts words of a payload's cell, and back.
CellWord word_of_payload(uint64_t luts);
uint64_t payload_of_word(CellWord word);

/// What the JSON file next to a payload says ("format": "bitgrid-payload-v1", "width", "height", "order", "crc32", "payload").
struct PayloadJson {
  PayloadLayout layout;
  std::optional<uint32_t> crc;
  std::string payload;  // path
};
PayloadJson parse_payload_json(const std::string& text, const std::string& path);

/// Writes the rows as PATH.bin (row order) and PATH.json, through temporary names, for grids that BGBS cannot hold.
void write_payload(const std::string& path, const GridSource& source);

}  // namespace bitgrid::frontend
