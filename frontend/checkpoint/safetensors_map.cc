#include "frontend/checkpoint/safetensors_map.h"

#include <bit>
#include <cstring>

#include "frontend/checkpoint/half.h"
#include "ir/error.h"
#include "ir/vectorised.h"

namespace bitgrid::frontend {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers of files are read as they lie");

template <typename Stored, typename Number, typename Decode>
BITGRID_VECTORISED void decode_numbers(std::string_view bytes, std::span<Number> out, Decode decode) {
  for (size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
    out[i] = static_cast<Number>(decode(stored));
  }
}

template <typename Number>
void read_numbers(const MappedTensor& t, uint64_t first, std::span<Number> out) {
  const uint64_t size = t.type().bytes;
  const std::string_view bytes = t.bytes().substr(first * size, out.size() * size);
  const auto plain = [](auto value) { return value; };
  switch (t.entry.dtype) {
    case DType::kI8:
      return decode_numbers<int8_t>(bytes, out, plain);
    case DType::kU8:
      return decode_numbers<uint8_t>(bytes, out, plain);
    case DType::kI16:
      return decode_numbers<int16_t>(bytes, out, plain);
    case DType::kI32:
      return decode_numbers<int32_t>(bytes, out, plain);
    case DType::kI64:
      return decode_numbers<int64_t>(bytes, out, plain);
    case DType::kBool:
      return decode_numbers<uint8_t>(bytes, out, plain);
    case DType::kU16:
      return decode_numbers<uint16_t>(bytes, out, plain);
    case DType::kU32:
      return decode_numbers<uint32_t>(bytes, out, plain);
    case DType::kU64:
      return decode_numbers<uint64_t>(bytes, out, plain);
    case DType::kF16:
      return decode_numbers<uint16_t>(bytes, out, [](uint16_t v) { return half_to_float(v); });
    case DType::kBF16:
      return decode_numbers<uint16_t>(bytes, out, [](uint16_t v) { return bfloat_to_float(v); });
    case DType::kF32:
      return decode_numbers<float>(bytes, out, plain);
    case DType::kF64:
      return decode_numbers<double>(bytes, out, plain);
    case DType::kF8E4M3:
    case DType::kF8E5M2:
    case DType::kF8E8M0:
      break;
  }
  throw Error(t.where(), "8-bit floats (" + std::string(t.type().name) + ") are not read", "take the checkpoint in BF16, F16 or F32");
}

}  // namespace

SafetensorsMap::SafetensorsMap(const std::string& file, DTypes dtypes)
    : path(file),
      mapped(std::make_shared<const MappedFile>(file)),
      text(mapped->text()),
      header(parse_safetensors_header(text, path, dtypes)) {}

SafetensorsMap::SafetensorsMap(std::string_view bytes, const std::string& file, DTypes dtypes)
    : path(file), text(bytes), header(parse_safetensors_header(text, path, dtypes)) {}

void MappedTensor::read(uint64_t first, std::span<float> out) const {
  read_numbers(*this, first, out);
}

void MappedTensor::read(uint64_t first, std::span<double> out) const {
  read_numbers(*this, first, out);
}

void MappedTensor::release() const {
  const uint64_t data = map->header.data;
  if (map->mapped) map->mapped->release(data + entry.begin, data + entry.end);
}

}  // namespace bitgrid::frontend
