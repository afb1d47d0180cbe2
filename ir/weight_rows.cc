#include "ir/weight_rows.h"

#include <algorithm>
#include <cstring>

namespace bitgrid {
namespace {

/// Bytes a, b, c, d of fields: field k of byte m becomes field 4 k + m.
uint32_t in_order(uint32_t cell, WeightStorage storage) {
  if (storage == WeightStorage::kTwoBits) {
    // 4 x 4 fields of two bits, transposed.
    uint32_t t = (cell ^ (cell >> 6)) & 0x00CC00CCu;
    cell ^= t ^ (t << 6);
    t = (cell ^ (cell >> 12)) & 0x0000F0F0u;
    return cell ^ t ^ (t << 12);
  }
  // 4 bytes of 8 bits become 8 groups of 4.
  uint32_t t = (cell ^ (cell >> 7)) & 0x00AA00AAu;
  cell ^= t ^ (t << 7);
  t = (cell ^ (cell >> 14)) & 0x0000CCCCu;
  cell ^= t ^ (t << 14);
  // Now bits k and k + 4 of all bytes stand together: byte j holds fields j and j + 4.
  const uint32_t low = cell & 0x0F0F0F0Fu, high = (cell >> 4) & 0x0F0F0F0Fu;
  const auto pack = [](uint32_t x) { return (x & 0xFu) | ((x >> 4) & 0xF0u) | ((x >> 8) & 0xF00u) | ((x >> 12) & 0xF000u); };
  return pack(low) | (pack(high) << 16);
}

/// Codes of a cell as they stream: value + 2 for ternary weights, two's complement for bytes.
uint32_t streamed(uint32_t cell, WeightStorage storage) {
  if (storage == WeightStorage::kByte) return cell ^ 0x80808080u;
  const uint32_t ordered = in_order(cell, storage);
  return storage == WeightStorage::kTwoBits ? ordered + 0x55555555u : ordered;
}

/// Bit `plane` of each of its codes, `bits` wide, side by side.
uint32_t plane_of(uint32_t codes, size_t bits, int plane) {
  if (bits == 8) return static_cast<uint32_t>(uint64_t{(codes >> plane) & 0x01010101u} * 0x01020408u >> 24) & 0xFu;
  uint32_t out = 0;
  for (uint32_t i = 0; i < 32 / bits; ++i) out |= ((codes >> (i * bits + static_cast<uint32_t>(plane))) & 1u) << i;
  return out;
}

/// Words of a row as they fill up.
struct RowWriter {
  BitMatrix& to;
  size_t row, column, bits;  // left to write
  uint64_t word = 0;
  size_t filled = 0;

  void add(uint64_t codes, size_t count) {
    word |= codes << filled;
    filled += count;
    if (filled == 64) flush();
  }
  void flush() {
    const size_t n = std::min(filled, bits);
    if (n > 0) to.set_word(row, column, static_cast<unsigned>(n), n == 64 ? word : word & ((uint64_t{1} << n) - 1));
    column += n;
    bits -= n;
    word = 0;
    filled = 0;
  }
};

void copy_row(const PackedWeights& weights, size_t r, int plane, RowWriter to) {
  const WeightStorage storage = weights.storage();
  const size_t bits = bits_of(storage), count = inputs_per_cell(storage) * (plane < 0 ? bits : 1);
  const uint8_t* const cells = weights.tile(r / kTileRows) + r % kTileRows * kCellBytes;
  for (size_t c = 0; c < weights.cells(); ++c) {
    uint32_t cell;
    std::memcpy(&cell, cells + c * kTileRows * kCellBytes, sizeof cell);
    const uint32_t codes = streamed(cell, storage);
    to.add(plane < 0 ? codes : plane_of(codes, bits, plane), count);
  }
  to.flush();
}

}  // namespace

void copy_weight_rows(const PackedWeights& weights, size_t first, size_t count, bool planes, BitMatrix& to, size_t row, size_t column) {
  const auto bits = static_cast<int>(bits_of(weights.storage()));
  for (size_t r = first; r < first + count; ++r) {
    if (!planes) copy_row(weights, r, -1, {to, row++, column, weights.columns() * static_cast<size_t>(bits)});
    for (int plane = 0; planes && plane < bits; ++plane) copy_row(weights, r, plane, {to, row++, column, weights.columns()});
  }
}

bool is_ternary(const PackedWeights& weights) {
  if (weights.storage() != WeightStorage::kTwoBits) return false;
  uint64_t both = 0;  // bits of a code that is 3
  for (size_t t = 0; t < weights.tiles(); ++t) {
    const uint8_t* const bytes = weights.tile(t);
    for (size_t i = 0; i < weights.bytes() / weights.tiles(); i += sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, bytes + i, sizeof word);
      both |= word & (word >> 1) & 0x5555'5555'5555'5555u;
    }
  }
  return both == 0;
}

}  // namespace bitgrid
