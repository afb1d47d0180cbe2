#include "ir/packed_weights.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "ir/vectorised.h"

namespace bitgrid {

namespace {

constexpr size_t kOneBitLanes = kPackedBlock / 8;  // bytes of a block
constexpr size_t kTwoBitLanes = kPackedBlock / 4;

size_t bytes_of_row(size_t columns, WeightStorage storage) {
  const size_t blocks = (columns + kPackedBlock - 1) / kPackedBlock;
  if (storage == WeightStorage::kOneBit) return blocks * kOneBitLanes;
  if (storage == WeightStorage::kTwoBits) return blocks * kTwoBitLanes;
  return columns;
}

/// Adds 1 to each weight of a block and packs the sums, or whether they are positive.
BITGRID_VECTORISED_CLONES void pack_two_bits(const int8_t* values, uint8_t* out) {
  for (size_t m = 0; m < kTwoBitLanes; ++m) {
    const auto code = [&](size_t k) { return static_cast<uint8_t>(values[kTwoBitLanes * k + m] + 1); };
    out[m] = static_cast<uint8_t>(code(0) | code(1) << 2 | code(2) << 4 | code(3) << 6);
  }
}

BITGRID_VECTORISED_CLONES void pack_one_bit(const int8_t* values, uint8_t* out) {
  for (size_t m = 0; m < kOneBitLanes; ++m) {
    unsigned byte = 0;
    for (size_t k = 0; k < 8; ++k) byte |= static_cast<unsigned>(values[kOneBitLanes * k + m] > 0) << k;
    out[m] = static_cast<uint8_t>(byte);
  }
}

BITGRID_VECTORISED_CLONES void unpack_two_bits(const uint8_t* in, int8_t* values) {
  for (size_t k = 0; k < 4; ++k)
    for (size_t m = 0; m < kTwoBitLanes; ++m) values[kTwoBitLanes * k + m] = static_cast<int8_t>((in[m] >> (2 * k) & 3) - 1);
}

BITGRID_VECTORISED_CLONES void unpack_one_bit(const uint8_t* in, int8_t* values) {
  for (size_t k = 0; k < 8; ++k)
    for (size_t m = 0; m < kOneBitLanes; ++m) values[kOneBitLanes * k + m] = static_cast<int8_t>((in[m] >> k & 1) * 2 - 1);
}

}  // namespace

PackedWeights::PackedWeights(size_t rows, size_t columns, WeightStorage storage)
    : rows_(rows),
      columns_(columns),
      storage_(storage),
      row_bytes_(bytes_of_row(columns, storage)),
      bytes_(std::make_unique_for_overwrite<uint8_t[]>(rows * row_bytes_)) {}

int PackedWeights::at(size_t r, size_t column) const {
  const uint8_t* block = row(r);
  const size_t i = column % kPackedBlock;
  switch (storage_) {
    case WeightStorage::kOneBit:
      return (block[column / kPackedBlock * kOneBitLanes + i % kOneBitLanes] >> (i / kOneBitLanes) & 1) * 2 - 1;
    case WeightStorage::kTwoBits:
      return (block[column / kPackedBlock * kTwoBitLanes + i % kTwoBitLanes] >> (2 * (i / kTwoBitLanes)) & 3) - 1;
    case WeightStorage::kByte:
      break;
  }
  return static_cast<int8_t>(block[column]);
}

void PackedWeights::will_pack(size_t begin, size_t end) {
#ifdef MADV_POPULATE_WRITE
  constexpr uintptr_t kPage = 4096;  // or a divisor of the page; of larger ones the call does nothing
  const auto first = (reinterpret_cast<uintptr_t>(bytes_.get() + begin * row_bytes_) + kPage - 1) / kPage * kPage;
  const auto last = reinterpret_cast<uintptr_t>(bytes_.get() + end * row_bytes_) / kPage * kPage;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_POPULATE_WRITE);
#else
  static_cast<void>(begin + end);
#endif
}

void PackedWeights::pack(size_t r, std::span<const int8_t> values) {
  assert(values.size() == columns_);
  uint8_t* out = bytes_.get() + r * row_bytes_;
  if (storage_ == WeightStorage::kByte) {
    std::memcpy(out, values.data(), columns_);
    return;
  }
  const bool one = storage_ == WeightStorage::kOneBit;
  for (size_t i = 0; i < columns_; i += kPackedBlock) {
    const int8_t* block = values.data() + i;
    std::array<int8_t, kPackedBlock> last;  // of a row, filled up
    if (columns_ - i < kPackedBlock) {
      last.fill(-1);
      std::copy_n(block, columns_ - i, last.begin());
      block = last.data();
    }
    if (one)
      pack_one_bit(block, out + i / kPackedBlock * kOneBitLanes);
    else
      pack_two_bits(block, out + i / kPackedBlock * kTwoBitLanes);
  }
}

void PackedWeights::unpack(size_t r, std::span<int8_t> values) const {
  assert(values.size() == columns_);
  const uint8_t* in = row(r);
  if (storage_ == WeightStorage::kByte) {
    std::memcpy(values.data(), in, columns_);
    return;
  }
  std::array<int8_t, kPackedBlock> block;
  for (size_t i = 0; i < columns_; i += kPackedBlock) {
    if (storage_ == WeightStorage::kOneBit)
      unpack_one_bit(in + i / kPackedBlock * kOneBitLanes, block.data());
    else
      unpack_two_bits(in + i / kPackedBlock * kTwoBitLanes, block.data());
    std::copy_n(block.begin(), std::min(kPackedBlock, columns_ - i), values.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace bitgrid
