// Weights as a model with scales keeps them: codes of 1, 2 or 8 bits, row by row, so that two billion of them fit in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace bitgrid {

/// Bits a code takes. A weight is 2 c - 1 (one bit), c - 1 (two bits), or a signed byte.
enum class WeightStorage : uint8_t { kOneBit, kTwoBits, kByte };

/// Inputs that one block of a row holds, padded with codes 0 at the end of a row.
inline constexpr size_t kPackedBlock = 128;

/// A matrix of weights. One bit: 16 bytes a block, bit k of byte m is input 16 k + m of the block. Two bits: 32 bytes a block, bits 2 k and
/// 2 k + 1 of byte m are input 32 k + m. Bytes: as they are. Rows may be packed from several threads.
class PackedWeights {
 public:
  PackedWeights(size_t rows, size_t columns, WeightStorage storage);

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  WeightStorage storage() const { return storage_; }
  size_t row_bytes() const { return row_bytes_; }
  size_t bytes() const { return rows_ * row_bytes_; }
  const uint8_t* row(size_t r) const { return bytes_.get() + r * row_bytes_; }

  int at(size_t r, size_t column) const;
  /// Asks the system for the pages of these rows at once, which costs less than one after another when they are packed. May do nothing.
  void will_pack(size_t begin, size_t end);
  /// `values` are columns() weights of row r, all of which the storage can hold (-1 and 1; -1 .. 2; -128 .. 127).
  void pack(size_t r, std::span<const int8_t> values);
  void unpack(size_t r, std::span<int8_t> values) const;

 private:
  size_t rows_, columns_;
  WeightStorage storage_;
  size_t row_bytes_;
  std::unique_ptr<uint8_t[]> bytes_;  // not set to 0: rows are packed one after another
};

}  // namespace bitgrid
