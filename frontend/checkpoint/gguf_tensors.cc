// Tensors of a GGUF file as a checkpoint's: rows of floats, rows of codes and scales.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>

#include "frontend/checkpoint/blocks.h"
#include "frontend/checkpoint/gguf.h"
#include "frontend/checkpoint/half.h"
#include "ir/error.h"
#include "ir/parallel.h"

namespace bitgrid::frontend {
namespace {

/// Bytes of a tensor that is read.
struct StoredRows {
  const BlockType* type = nullptr;
  const uint8_t* data = nullptr;
  uint64_t rows = 0, columns = 0;
  bool four_rows = false;  // I2sLayout::kX86Rows
  float scale = 0.0f;      // of types with a tail

  uint64_t row_bytes() const { return columns / type->elements * type->bytes; }
  const uint8_t* row(uint64_t r) const { return data + r * row_bytes(); }
};

float tail_scale(const StoredRows& stored) {
  float scale = 0.0f;
  std::memcpy(&scale, stored.row(stored.rows), sizeof scale);
  return scale;
}

void codes_of_row(const StoredRows& stored, uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
  if (stored.four_rows)
    decode_i2s_rows(stored.data, r, codes);
  else
    row_codes(*stored.type, stored.row(r), codes, scales);
  if (stored.type->tail != 0 && stored.scale == 0.0f) std::fill(codes.begin(), codes.end(), int8_t{0});
}

void floats_of_row(const StoredRows& stored, uint64_t r, std::span<float> out) {
  if (stored.type->tail == 0) return row_floats(*stored.type, stored.row(r), out);
  std::vector<int8_t> codes(out.size());
  codes_of_row(stored, r, codes, {});
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(codes[i]) * stored.scale;
}

/// What is wrong with a tensor that a scan objects to, and in which row.
[[noreturn]] void refuse_stored(const StoredRows& stored, const std::string& where, bool code) {
  std::vector<int8_t> codes(stored.columns);
  const bool tail = stored.type->tail != 0;
  std::vector<float> scales(tail ? 0 : stored.columns / stored.type->elements);
  const std::string cure = "the file is damaged: fetch it again";
  for (uint64_t r = 0; r < stored.rows; ++r) {
    StoredRows raw = stored;
    raw.scale = 1.0f;  // of codes under a scale of 0, too
    codes_of_row(raw, r, codes, scales);
    if (code && std::find(codes.begin(), codes.end(), 2) != codes.end())
      throw Error(fmt::format("{}: row {}", where, r), fmt::format("a code is 3, but {} has 0, 1 and 2", stored.type->name),
                  tail ? "the file is damaged, or its bytes are in another order: fetch it again, or try --i2s-layout" : cure);
    if (!code && !std::all_of(scales.begin(), scales.end(), [](float s) { return std::isfinite(s); }))
      throw Error(fmt::format("{}: row {}", where, r), "a scale is infinite or not a number", cure);
  }
  throw Error(where, code ? "a code is 3 under a scale of 0" : "the scale is infinite or not a number", cure);
}

/// One look at all codes and scales; of a mapped file, which begin at byte `begin`, at copies of some blocks after others.
BlockScan scan_stored(const StoredRows& stored, const MappedFile* mapped, uint64_t begin) {
  BlockScan scan;
  const BlockType& type = *stored.type;
  if (!mapped) {
    scan_row(type, stored.data, stored.rows * stored.columns, scan);
    return scan;
  }
  constexpr uint64_t kPairsAtOnce = 4096;  // of blocks: BlockScan compares the two of a pair
  std::vector<std::byte> copy(2 * kPairsAtOnce * type.bytes);
  const uint64_t blocks = stored.rows * stored.columns / type.elements;
  for (uint64_t b = 0; b < blocks; b += 2 * kPairsAtOnce) {
    const uint64_t count = std::min(blocks - b, 2 * kPairsAtOnce);
    const std::span<std::byte> part = std::span(copy).first(count * type.bytes);
    if (mapped->read(begin + b * type.bytes, part) != part.size())
      throw Error(mapped->path(), "the file was shortened while it was read", "do not change it while it is being read");
    scan_row(type, reinterpret_cast<const uint8_t*>(part.data()), count * type.elements, scan);
  }
  return scan;
}

/// What codes and scales say: which values, how many scales.
void look_at_codes(const BlockScan& scan, StoredRows& stored, CheckpointTensor& tensor) {
  tensor.values = stored.type->values;
  if (scan.three && tensor.values == StoredValues::kTernary) refuse_stored(stored, tensor.where, true);
  if (!scan.three && tensor.values == StoredValues::kInt2) tensor.values = StoredValues::kTernary;
  if (stored.type->tail != 0) stored.scale = tail_scale(stored);
  if (!scan.finite || !std::isfinite(stored.scale)) refuse_stored(stored, tensor.where, false);
  if (stored.type->tail == 0 && !scan.one_scale) {
    tensor.sharing = ScaleSharing::kGroup;
    tensor.group = stored.type->elements;
    tensor.pairs_share = scan.pairs_share && stored.columns % (2 * tensor.group) == 0;
    tensor.scale = fmt::format("a half for every {} inputs; weights are codes times it", tensor.group);
    return;
  }
  tensor.sharing = ScaleSharing::kTensor;
  tensor.tensor_scale = stored.type->tail != 0 ? stored.scale : half_to_float(scan.scale_bits);
  tensor.scale = fmt::format("one for the tensor, {:.6g}{}; weights are codes times it", tensor.tensor_scale,
                             stored.type->tail != 0 ? "" : ", the same half in all blocks");
}

void give_codes(const StoredRows& stored, CheckpointTensor& tensor) {
  if (tensor.sharing == ScaleSharing::kGroup) {
    tensor.codes = [stored](uint64_t r, std::span<int8_t> codes, std::span<float> scales) { codes_of_row(stored, r, codes, scales); };
    return;
  }
  const auto scale = static_cast<float>(tensor.tensor_scale);
  tensor.codes = [stored, scale](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    codes_of_row(stored, r, codes, {});
    scales[0] = scale;
  };
}

/// A tensor of which only the description can be read.
void give_refusal(CheckpointTensor& tensor, const std::string& why, const std::string& cure) {
  tensor.floats = [where = tensor.where, why, cure](uint64_t, std::span<float>) { throw Error(where, why, cure); };
}

std::string stored_name(const GgufTensor& tensor, I2sLayout layout) {
  const BlockType* type = block_type(tensor.type);
  if (!type) return fmt::format("type {}", tensor.type);
  if (tensor.type != kIdI2_S) return type->name;
  constexpr const char* kLayouts[] = {"x86", "x86-rows", "arm"};
  return fmt::format("{}, layout {}", type->name, kLayouts[static_cast<int>(layout)]);
}

void fill_tensor(const GgufFile& file, const GgufTensor& info, const GgufPlace& place, I2sLayout layout, CheckpointTensor& tensor) {
  tensor.name = info.name;
  tensor.stored = stored_name(info, layout);
  tensor.shape = info.shape;
  tensor.where = fmt::format("{}: tensor {}", file.path, info.name);
  tensor.bytes = place.type ? place.size : place.room;
  if (!place.type) return give_refusal(tensor, place.refusal->why, place.refusal->cure);
  if (info.shape.size() > 2) return give_refusal(tensor, "it has more than two dimensions", "take a model of linear layers");
  StoredRows stored{place.type, reinterpret_cast<const uint8_t*>(file.bytes.data()) + place.begin, tensor.rows(), tensor.columns()};
  stored.four_rows = place.type == &i2s_type(I2sLayout::kX86Rows);
  const uint64_t end = place.begin + place.size;
  if (place.type->has_codes()) {
    if (file.mapped) file.mapped->will_read(place.begin, end);
    look_at_codes(scan_stored(stored, file.mapped.get(), place.begin), stored, tensor);
    give_codes(stored, tensor);
  }
  tensor.floats = [stored](uint64_t r, std::span<float> out) { floats_of_row(stored, r, out); };
  if (file.mapped) tensor.release = [mapped = file.mapped, begin = place.begin, end] { mapped->release(begin, end); };
}

}  // namespace

I2sLayout parse_i2s_layout(const std::string& name) {
  if (name.empty() || name == "x86") return I2sLayout::kX86;
  if (name == "x86-rows") return I2sLayout::kX86Rows;
  if (name == "arm") return I2sLayout::kArm;
  throw Error("--i2s-layout", fmt::format("\"{}\" is not a layout of I2_S", name), "write x86, x86-rows or arm");
}

std::vector<CheckpointTensor> gguf_tensors(const GgufFile& file, const std::vector<GgufPlace>& places, I2sLayout layout) {
  std::vector<CheckpointTensor> tensors(file.tensors.size());
  constexpr size_t kWorthThreads = size_t{1} << 24;  // bytes
  const int threads = file.bytes.size() < kWorthThreads ? 1 : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  parallel_for(tensors.size(), threads, [&](size_t i) { fill_tensor(file, file.tensors[i], places[i], layout, tensors[i]); });
  return tensors;
}

}  // namespace bitgrid::frontend
