#include "frontend/checkpoint/gguf_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "frontend/checkpoint/gguf.h"
#include "ir/error.h"
#include "ir/output_file.h"

namespace bitgrid::frontend {
namespace {

constexpr size_t kWriteAtOnce = size_t{1} << 20;

template <typename T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

void put_text(std::string& out, const std::string& text) {
  put<uint64_t>(out, text.size());
  out += text;
}

void put_type(std::string& out, GgufType type) {
  put(out, static_cast<uint32_t>(type));
}

template <typename T>
constexpr GgufType type_of_value() {
  if constexpr (std::is_same_v<T, uint32_t>) return GgufType::kU32;
  if constexpr (std::is_same_v<T, uint64_t>) return GgufType::kU64;
  if constexpr (std::is_same_v<T, int32_t>) return GgufType::kI32;
  if constexpr (std::is_same_v<T, float>) return GgufType::kF32;
  if constexpr (std::is_same_v<T, bool>) return GgufType::kBool;
  if constexpr (std::is_same_v<T, std::string>) return GgufType::kString;
}

template <typename T>
void put_value(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>)
    put_text(out, value);
  else
    put(out, value);
}

template <typename T>
void put_typed(std::string& out, const T& value) {
  put_type(out, type_of_value<T>());
  put_value(out, value);
}

template <typename T>
void put_typed(std::string& out, const std::vector<T>& list) {
  put_type(out, GgufType::kArray);
  put_type(out, type_of_value<T>());
  put<uint64_t>(out, list.size());
  for (const T& value : list) put_value(out, value);
}

void pad(std::string& out, uint64_t alignment) {
  out.append((alignment - out.size() % alignment) % alignment, '\0');
}

uint64_t rows_of(const GgufWrittenTensor& tensor) {
  return tensor.shape.size() < 2 ? 1 : tensor.shape[0];
}

uint64_t row_bytes_of(const GgufWrittenTensor& tensor) {
  return tensor.shape.back() / tensor.type->elements * tensor.type->bytes;
}

void check_tensor(const GgufWrittenTensor& tensor) {
  if (tensor.shape.back() % tensor.type->elements != 0)
    throw Error("tensor " + tensor.name,
                fmt::format("rows of {} numbers cannot be cut into blocks of {}, which {} has", tensor.shape.back(), tensor.type->elements,
                            tensor.type->name),
                "choose a type with smaller blocks, or other sizes");
}

std::string header_of(const GgufContents& contents) {
  std::string out = "GGUF";
  const bool says_alignment = contents.alignment != 32;
  put<uint32_t>(out, 3);
  put<uint64_t>(out, contents.tensors.size());
  put<uint64_t>(out, contents.metadata.size() + (says_alignment ? 1 : 0));
  for (const auto& [key, value] : contents.metadata) {
    put_text(out, key);
    std::visit([&](const auto& v) { put_typed(out, v); }, value);
  }
  if (says_alignment) {
    put_text(out, "general.alignment");
    put_typed(out, contents.alignment);
  }
  uint64_t offset = 0;
  for (const GgufWrittenTensor& tensor : contents.tensors) {
    check_tensor(tensor);
    put_text(out, tensor.name);
    put(out, static_cast<uint32_t>(tensor.shape.size()));
    for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) put(out, *size);
    put(out, tensor.type->id);
    put(out, offset);
    const uint64_t bytes = rows_of(tensor) * row_bytes_of(tensor) + tensor.type->tail;
    offset += (bytes + contents.alignment - 1) / contents.alignment * contents.alignment;
  }
  pad(out, contents.alignment);
  return out;
}

/// Whether a block may be stored: codes of its type, and with one bit none that is 0 unless the scale is.
bool fits(StoredValues values, std::span<const int8_t> codes, bool zero_scale) {
  const int most = values == StoredValues::kInt2 ? 2 : 1;
  bool inside = true, zero = false;
  for (const int8_t code : codes) {
    inside &= code >= -1 && code <= most;
    zero |= code == 0;
  }
  return inside && (values != StoredValues::kBinary || !zero || zero_scale);
}

void check_codes(const GgufWrittenTensor& tensor, std::span<const int8_t> codes, std::span<const float> scales) {
  const BlockType& type = *tensor.type;
  for (size_t at = 0, block = 0; at < codes.size(); at += type.elements, ++block) {
    const std::span<const int8_t> its = codes.subspan(at, type.elements);
    const bool zero_scale = scales[type.tail != 0 ? 0 : block] == 0.0f;
    if (fits(type.values, its, zero_scale)) continue;
    for (const int8_t code : its)
      if (!fits(type.values, {&code, 1}, zero_scale))
        throw Error("tensor " + tensor.name, fmt::format("{} cannot store the code {}", type.name, static_cast<int>(code)),
                    "choose another type");
  }
}

/// Bytes of a tensor, given to `take` in pieces.
template <typename Take>
void tensor_bytes(const GgufWrittenTensor& tensor, uint64_t alignment, Take take) {
  const BlockType& type = *tensor.type;
  const uint64_t columns = tensor.shape.back(), row_bytes = row_bytes_of(tensor);
  std::vector<float> numbers(type.has_codes() ? 0 : columns);
  std::vector<int8_t> codes(type.has_codes() ? columns : 0);
  std::vector<float> scales(!type.has_codes() ? 0 : type.tail != 0 ? 1 : columns / type.elements);
  float first = 0.0f;  // with a tail
  std::string piece;
  uint64_t written = 0;
  for (uint64_t r = 0; r < rows_of(tensor); ++r) {
    piece.resize(piece.size() + row_bytes);
    const std::span<uint8_t> row(reinterpret_cast<uint8_t*>(piece.data()) + piece.size() - row_bytes, row_bytes);
    if (type.has_codes()) {
      tensor.codes(r, codes, scales);
      check_codes(tensor, codes, scales);
      if (r == 0) first = scales[0];
      if (type.tail != 0 && scales[0] != first)
        throw Error("tensor " + tensor.name, fmt::format("{} has one scale for the tensor, but its rows have several", type.name),
                    "choose another type");
      encode_row(type, codes, scales, row);
    } else {
      tensor.floats(r, numbers);
      store_row(type, numbers, row);
    }
    if (piece.size() < kWriteAtOnce) continue;
    written += piece.size();
    take(piece);
    piece.clear();
  }
  if (type.tail != 0) {
    put(piece, first);
    piece.append(type.tail - sizeof first, '\0');
  }
  written += piece.size();
  piece.append((alignment - written % alignment) % alignment, '\0');
  take(piece);
}

template <typename Take>
void gguf_bytes(const GgufContents& contents, Take take) {
  take(header_of(contents));
  for (const GgufWrittenTensor& tensor : contents.tensors) tensor_bytes(tensor, contents.alignment, take);
}

}  // namespace

void write_gguf(const std::string& path, const GgufContents& contents) {
  OutputFile file(path);
  gguf_bytes(contents, [&](const std::string& bytes) { file.write(bytes); });
  file.finish();
}

std::string print_gguf(const GgufContents& contents) {
  std::string out;
  gguf_bytes(contents, [&](const std::string& bytes) { out += bytes; });
  return out;
}

}  // namespace bitgrid::frontend
