// Where tensors lie, and which makers' ids tell another story than their bytes.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "frontend/checkpoint/blocks.h"
#include "frontend/checkpoint/gguf.h"
#include "ir/error.h"

namespace bitgrid::frontend {
namespace {

constexpr const char* kTakeOther = "take a file of F32, F16, BF16, Q8_0, Q4_0, Q6_K, Q1_0, Q2_0, TQ1_0, TQ2_0 or I2_S tensors";

/// Q2_0 once had blocks of 128 numbers in 34 bytes, under the same id.
constexpr uint64_t kLegacyElements = 128, kLegacyBytes = 34;

uint64_t padded(uint64_t bytes, uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// Two makers use these ids for different layouts: what does not fit is another maker's, not damage.
bool lies(uint32_t type) {
  return type == kIdQ1_0 || type == kIdQ2_0 || type == kIdI2_S;
}

std::string place_of(const GgufFile& file, const GgufTensor& tensor) {
  return fmt::format("{}: byte {}: tensor {}", file.path, tensor.at, tensor.name);
}

bool is_legacy_q2_0(const GgufFile& file, const GgufTensor& tensor, const GgufPlace& place) {
  if (tensor.type != kIdQ2_0 || tensor.columns() % kLegacyElements != 0) return false;
  const uint64_t size = tensor.count / kLegacyElements * kLegacyBytes;
  return place.room >= size && place.room < padded(size + 1, file.alignment);
}

/// Why the type is not read, whatever the sizes are.
std::optional<Refusal> refusal_of_type(const GgufTensor& tensor) {
  const std::string about = fmt::format("tensor {} has type {}", tensor.name, tensor.type);
  const BlockType* type = block_type(tensor.type);
  if (!type) return Refusal{about + ", which is not known here", kTakeOther};
  if (type->known()) return std::nullopt;
  if (tensor.type == kIdPQ2_0 || tensor.type == kIdPTQ1_0)
    return Refusal{fmt::format("{}, {}: its weights are rotated, and rotated weights are not run yet", about, type->name),
                   "take the unrotated file of the same model, Q2_0 (_g64) or Q1_0"};
  if (tensor.type == kIdTL1 || tensor.type == kIdTL2)
    return Refusal{fmt::format("{}, {}: TL1 and TL2 files fit only the build of bitnet.cpp that wrote them", about, type->name),
                   "take the I2_S, TQ1_0 or TQ2_0 file of the same model"};
  return Refusal{fmt::format("{}, {}, which is not read", about, type->name), kTakeOther};
}

Refusal misfit(const GgufFile& file, const GgufTensor& tensor, const GgufPlace& place) {
  const char* name = block_type(tensor.type)->name;
  const std::string sizes = fmt::format("tensor {} has type {}, {}, and needs {} bytes as such, but the file has {} for it", tensor.name,
                                        tensor.type, name, place.size, place.room);
  if (is_legacy_q2_0(file, tensor, place))
    return {sizes + ": this is the older Q2_0, with blocks of 128 numbers in 34 bytes under the same id",
            "take the file of the same model with _g64 in its name"};
  if (tensor.type == kIdQ1_0)
    return {sizes + ": another maker uses this id for codes of two bits with a scale a row", "take a Q1_0 file as llama.cpp writes it"};
  if (tensor.type == kIdI2_S)
    return {sizes + ": llama.cpp once used this id for another type", "take an I2_S file as bitnet.cpp writes it, or TQ2_0"};
  return {sizes, "another program's layout: take a file as llama.cpp writes it"};
}

/// Bytes of a tensor; a refusal if its rows cannot be cut into blocks.
void size_by_type(const GgufTensor& tensor, const BlockType& type, I2sLayout layout, GgufPlace& place) {
  if (type.id == kIdI2_S && layout == I2sLayout::kX86Rows && tensor.count / tensor.columns() % 4 != 0) {
    place.refusal = Refusal{fmt::format("tensor {} has {} rows, but the I2_S layout x86-rows has four rows per byte", tensor.name,
                                        tensor.count / tensor.columns()),
                            "try --i2s-layout x86 or arm"};
    return;
  }
  if (tensor.columns() % type.elements != 0) {
    place.refusal = Refusal{
        fmt::format("tensor {} has rows of {} numbers, but {} has blocks of {}", tensor.name, tensor.columns(), type.name, type.elements),
        "another program's layout: take a file as llama.cpp writes it"};
    return;
  }
  place.size = tensor.count / type.elements * type.bytes + type.tail;  // at most 2^56 numbers: no overflow
}

void check_room(const GgufFile& file, const GgufTensor& tensor, GgufPlace& place, const GgufTensor* next) {
  const bool fits = place.size <= place.room && (padded(place.size, file.alignment) >= place.room || (!next && !lies(tensor.type)));
  if (fits || place.size == 0) return;
  if (place.size > place.room && !is_legacy_q2_0(file, tensor, place)) {
    if (!next)
      throw Error(place_of(file, tensor),
                  fmt::format("its {} bytes begin at byte {}, but the file ends at byte {}", place.size, place.begin, file.bytes.size()),
                  "the file is truncated: fetch it again");
    if (!lies(tensor.type))
      throw Error(place_of(file, tensor),
                  fmt::format("its {} bytes begin at byte {}, and those of tensor {} already at byte {}", place.size, place.begin,
                              next->name, file.data + next->offset),
                  "the file is damaged: fetch it again");
  }
  place.refusal = misfit(file, tensor, place);
}

void check_begin(const GgufFile& file, const GgufTensor& tensor) {
  if (tensor.offset % file.alignment != 0)
    throw Error(place_of(file, tensor), fmt::format("its offset {} is not a multiple of the alignment {}", tensor.offset, file.alignment),
                "the file is damaged: fetch it again");
  if (file.data > file.bytes.size() || tensor.offset >= file.bytes.size() - file.data)
    throw Error(place_of(file, tensor),
                fmt::format("it begins {} bytes after byte {}, but the file ends at byte {}", tensor.offset, file.data, file.bytes.size()),
                "the file is truncated: fetch it again");
}

}  // namespace

std::vector<GgufPlace> gguf_places(const GgufFile& file, I2sLayout layout) {
  for (const GgufTensor& tensor : file.tensors) check_begin(file, tensor);
  std::vector<size_t> order(file.tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return file.tensors[a].offset < file.tensors[b].offset; });
  std::vector<GgufPlace> places(file.tensors.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const GgufTensor& tensor = file.tensors[order[i]];
    GgufPlace& place = places[order[i]];
    const GgufTensor* next = i + 1 < order.size() ? &file.tensors[order[i + 1]] : nullptr;
    place.begin = file.data + tensor.offset;
    place.room = (next ? file.data + next->offset : file.bytes.size()) - place.begin;
    const BlockType* type = block_type(tensor.type);
    place.refusal = refusal_of_type(tensor);
    if (tensor.type == kIdI2_S) type = &i2s_type(layout);
    if (!place.refusal) size_by_type(tensor, *type, layout, place);
    if (!place.refusal) check_room(file, tensor, place, next);
    if (!place.refusal) place.type = type;
  }
  if (!order.empty() && file.tensors[order[0]].offset != 0 && !places[order[0]].refusal) {
    places[order[0]].type = nullptr;
    places[order[0]].refusal =
        Refusal{fmt::format("{} bytes before tensor {} belong to no tensor", file.tensors[order[0]].offset, file.tensors[order[0]].name),
                "another program's layout: take a file as llama.cpp writes it"};
  }
  return places;
}

}  // namespace bitgrid::frontend
