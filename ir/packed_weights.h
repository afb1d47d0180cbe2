// The weights of a model with scales: codes of 1, 2 or 8 bits in the order in which kernels read them. Two billion weights fit in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace bitgrid {

/// The bits per code. A weight is 2 c - 1 (one bit), c - 1 (two bits), or c - 128 (a byte).
enum class WeightStorage : uint8_t { kOneBit, kTwoBits, kByte };

inline constexpr size_t kTileRows = 16;  // rows that are stored together
inline constexpr size_t kCellBytes = 4;  // of one row side by side

constexpr size_t bits_of(WeightStorage storage) {
  return storage == WeightStorage::kOneBit ? 1 : storage == WeightStorage::kTwoBits ? 2 : 8;
}
/// Returns the number of inputs that a cell holds: 32, 16 or 4.
constexpr size_t inputs_per_cell(WeightStorage storage) {
  return 8 * kCellBytes / bits_of(storage);
}

/// A matrix of weights. A cell is four bytes of one row. Field k of byte m, `bits` wide, is input 4 k + m of the cell, so that one shift of
/// all bytes yields four adjacent inputs. A tile is 16 rows: cell 0 of each row, then cell 1 of each, and so on. One vector register thus
/// has the same inputs of up to 16 rows, and the whole matrix is read from front to back. Codes that pad a last cell or a last tile are 0.
/// Several threads may pack rows.
class PackedWeights {
 public:
  PackedWeights(size_t rows, size_t columns, WeightStorage storage);

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  WeightStorage storage() const { return storage_; }
  size_t tiles() const { return (rows_ + kTileRows - 1) / kTileRows; }
  /// Returns the number of cells per row.
  size_t cells() const { return cells_; }
  size_t bytes() const { return tiles() * tile_bytes(); }
  /// Returns the cells() * 64 bytes of a tile, aligned to 64.
  const uint8_t* tile(size_t t) const { return data_ + t * tile_bytes(); }

  int at(size_t r, size_t column) const;
  /// Asks the system for the pages of these rows all at once, which is cheaper than page by page during packing. May do nothing.
  void will_pack(size_t begin, size_t end);
  /// `values` are the columns() weights of row r. The storage must be able to hold them (-1 and 1; -1 .. 2; -128 .. 127).
  void pack(size_t r, std::span<const int8_t> values);
  void unpack(size_t r, std::span<int8_t> values) const;

 private:
  size_t tile_bytes() const { return cells_ * kCellBytes * kTileRows; }
  uint8_t* cell(size_t r, size_t c) const {
    return data_ + (r / kTileRows * cells_ + c) * kCellBytes * kTileRows + r % kTileRows * kCellBytes;
  }

  size_t rows_, columns_;
  WeightStorage storage_;
  size_t cells_;
  std::unique_ptr<uint8_t[]> bytes_;  // not initialised: rows are packed one after another
  uint8_t* data_;
};

}  // namespace bitgrid
