#include "ir/packed_weights.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "ir/vectorised.h"

namespace bitgrid {

namespace {

constexpr size_t kLine = 64;
constexpr size_t kInputsAtOnce = 512;

/// The code of a weight, in the low bits of a byte.
uint8_t code_of(int8_t weight, WeightStorage storage) {
  if (storage == WeightStorage::kOneBit) return weight > 0 ? 1 : 0;
  return static_cast<uint8_t>(storage == WeightStorage::kTwoBits ? weight + 1 : weight + 128);
}

BITGRID_VECTORISED_CLONES void codes_of(const int8_t* weights, size_t count, WeightStorage storage, uint8_t* codes) {
  switch (storage) {
    case WeightStorage::kOneBit:
      for (size_t i = 0; i < count; ++i) codes[i] = code_of(weights[i], WeightStorage::kOneBit);
      return;
    case WeightStorage::kTwoBits:
      for (size_t i = 0; i < count; ++i) codes[i] = code_of(weights[i], WeightStorage::kTwoBits);
      return;
    case WeightStorage::kByte:
      for (size_t i = 0; i < count; ++i) codes[i] = code_of(weights[i], WeightStorage::kByte);
  }
}

BITGRID_VECTORISED_CLONES void weights_of(uint8_t* codes, size_t count, WeightStorage storage) {
  const int factor = storage == WeightStorage::kOneBit ? 2 : 1, offset = storage == WeightStorage::kByte ? 128 : 1;
  for (size_t i = 0; i < count; ++i) codes[i] = static_cast<uint8_t>(factor * codes[i] - offset);
}

constexpr size_t kStride = kCellBytes * kTileRows;  // from a cell to the next of its row

/// Cells from the codes of their inputs, and back; four codes at a time.
template <size_t kBits>
void put_cells(const uint8_t* codes, size_t count, uint8_t* cells) {
  constexpr size_t kFields = 8 / kBits;
  for (size_t c = 0; c < count; ++c, codes += kCellBytes * kFields, cells += kStride) {
    uint32_t cell = 0;
    BITGRID_UNROLL
    for (size_t k = 0; k < kFields; ++k) {
      uint32_t four = 0;
      std::memcpy(&four, codes + kCellBytes * k, sizeof four);
      cell |= four << (kBits * k);
    }
    std::memcpy(cells, &cell, sizeof cell);
  }
}

template <size_t kBits>
void get_cells(const uint8_t* cells, size_t count, uint8_t* codes) {
  constexpr size_t kFields = 8 / kBits;
  constexpr uint32_t kField = 0x01010101U * ((1U << kBits) - 1);
  for (size_t c = 0; c < count; ++c, codes += kCellBytes * kFields, cells += kStride) {
    uint32_t cell = 0;
    std::memcpy(&cell, cells, sizeof cell);
    BITGRID_UNROLL
    for (size_t k = 0; k < kFields; ++k) {
      const uint32_t four = cell >> (kBits * k) & kField;
      std::memcpy(codes + kCellBytes * k, &four, sizeof four);
    }
  }
}

}  // namespace

PackedWeights::PackedWeights(size_t rows, size_t columns, WeightStorage storage)
    : rows_(rows),
      columns_(columns),
      storage_(storage),
      cells_((columns + inputs_per_cell(storage) - 1) / inputs_per_cell(storage)),
      bytes_(std::make_unique_for_overwrite<uint8_t[]>(bytes() + kLine - 1)),
      data_(bytes_.get() + (kLine - reinterpret_cast<uintptr_t>(bytes_.get()) % kLine) % kLine) {
  if (rows % kTileRows != 0) std::fill_n(data_ + (tiles() - 1) * tile_bytes(), tile_bytes(), uint8_t{0});
}

int PackedWeights::at(size_t r, size_t column) const {
  const size_t inputs = inputs_per_cell(storage_), bits = bits_of(storage_), i = column % inputs;
  const int byte = cell(r, column / inputs)[i % kCellBytes];
  const int code = byte >> (bits * (i / kCellBytes)) & ((1 << bits) - 1);
  return storage_ == WeightStorage::kOneBit ? 2 * code - 1 : storage_ == WeightStorage::kTwoBits ? code - 1 : code - 128;
}

void PackedWeights::will_pack(size_t begin, size_t end) {
#ifdef MADV_POPULATE_WRITE
  constexpr uintptr_t kPage = 4096;  // or a divisor of the page; of larger ones the call does nothing
  const auto first = (reinterpret_cast<uintptr_t>(tile(begin / kTileRows)) + kPage - 1) / kPage * kPage;
  const auto last = reinterpret_cast<uintptr_t>(tile((end + kTileRows - 1) / kTileRows)) / kPage * kPage;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_POPULATE_WRITE);
#else
  static_cast<void>(begin + end);
#endif
}

void PackedWeights::pack(size_t r, std::span<const int8_t> values) {
  assert(values.size() == columns_);
  const size_t inputs = inputs_per_cell(storage_);
  std::array<uint8_t, kInputsAtOnce> codes;
  for (size_t begin = 0; begin < cells_; begin += kInputsAtOnce / inputs) {
    const size_t end = std::min(cells_, begin + kInputsAtOnce / inputs), first = begin * inputs,
                 count = std::min(columns_, end * inputs) - first;
    codes_of(values.data() + first, count, storage_, codes.data());
    std::fill_n(codes.data() + count, (end - begin) * inputs - count, uint8_t{0});
    (storage_ == WeightStorage::kOneBit    ? put_cells<1>
     : storage_ == WeightStorage::kTwoBits ? put_cells<2>
                                           : put_cells<8>)(codes.data(), end - begin, cell(r, begin));
  }
}

void PackedWeights::unpack(size_t r, std::span<int8_t> values) const {
  assert(values.size() == columns_);
  const size_t inputs = inputs_per_cell(storage_);
  std::array<uint8_t, kInputsAtOnce> codes;
  for (size_t begin = 0; begin < cells_; begin += kInputsAtOnce / inputs) {
    const size_t end = std::min(cells_, begin + kInputsAtOnce / inputs), first = begin * inputs;
    (storage_ == WeightStorage::kOneBit    ? get_cells<1>
     : storage_ == WeightStorage::kTwoBits ? get_cells<2>
                                           : get_cells<8>)(cell(r, begin), end - begin, codes.data());
    weights_of(codes.data(), (end - begin) * inputs, storage_);
    std::memcpy(values.data() + first, codes.data(), std::min(columns_, end * inputs) - first);
  }
}

}  // namespace bitgrid
