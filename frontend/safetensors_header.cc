#include "frontend/safetensors_header.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ir/error.h"
#include "ir/json_reader.h"
#include "ir/json_text.h"

namespace bitgrid::frontend {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxHeader = uint64_t{1} << 24;

constexpr std::array<DTypeInfo, 16> kDTypes = {{{DType::kI8, "I8", 1, true, false},
                                                {DType::kU8, "U8", 1, false, false},
                                                {DType::kI16, "I16", 2, true, false},
                                                {DType::kI32, "I32", 4, true, false},
                                                {DType::kI64, "I64", 8, true, false},
                                                {DType::kBool, "BOOL", 1, false, false},
                                                {DType::kU16, "U16", 2, false, false},
                                                {DType::kU32, "U32", 4, false, false},
                                                {DType::kU64, "U64", 8, false, false},
                                                {DType::kF16, "F16", 2, true, true},
                                                {DType::kBF16, "BF16", 2, true, true},
                                                {DType::kF32, "F32", 4, true, true},
                                                {DType::kF64, "F64", 8, true, true},
                                                {DType::kF8E4M3, "F8_E4M3", 1, true, true},
                                                {DType::kF8E5M2, "F8_E5M2", 1, true, true},
                                                {DType::kF8E8M0, "F8_E8M0", 1, false, true}}};

DType dtype_of(const json& j, const std::string& where, DTypes dtypes) {
  if (!j.is_string()) throw Error(where, "its dtype is missing or not a string", "write the file with a safetensors library");
  const std::string name = j.get<std::string>();
  const auto d = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeInfo& info) { return info.name == name; });
  const bool known = d != kDTypes.end();
  if (known && (dtypes == DTypes::kAll || d->dtype <= DType::kI64)) return d->dtype;
  if (known && d->is_float) {
    throw Error(where, "its dtype is " + name + ", but models here have only integers",
                "export the quantised integers: weights as I8, biases and tables as I32");
  }
  throw Error(where, "its dtype " + json_text(json(name)) + " is unknown",
              dtypes == DTypes::kAll ? "use integers, BOOL, F64, F32, F16 or BF16" : "use I8, U8, I16, I32 or I64");
}

std::vector<uint64_t> numbers(const json& j, const std::string& where, const char* what) {
  std::vector<uint64_t> out;
  bool good = j.is_array() && j.size() <= 8;
  if (good) {
    for (const json& n : j) {
      good = good && n.is_number_unsigned();
      if (good) out.push_back(n.get<uint64_t>());
    }
  }
  if (!good) throw Error(where, std::string("its ") + what + " is not a list of numbers", "write the file with a safetensors library");
  return out;
}

/// Bytes of a tensor of that shape; checked against the bytes available before multiplying, so it cannot overflow.
uint64_t bytes_of(const SafetensorsEntry& e, uint64_t available, const std::string& where) {
  uint64_t bytes = dtype_info(e.dtype).bytes;
  if (std::find(e.shape.begin(), e.shape.end(), 0u) != e.shape.end()) return 0;
  for (const uint64_t n : e.shape) {
    if (n > available / bytes) {
      throw Error(where, "its shape " + shape_text(e.shape) + " needs more bytes than the file has",
                  "the file may be truncated; copy or export it again");
    }
    bytes *= n;
  }
  return bytes;
}

SafetensorsEntry entry_of(const json& j, uint64_t available, const std::string& where, DTypes dtypes) {
  if (!j.is_object()) throw Error(where, "its header entry is not an object", "write the file with a safetensors library");
  const auto field = [&](const char* key) { return j.contains(key) ? j.at(key) : json(); };
  SafetensorsEntry e;
  e.dtype = dtype_of(field("dtype"), where, dtypes);
  e.shape = numbers(field("shape"), where, "shape");
  const std::vector<uint64_t> offsets = numbers(field("data_offsets"), where, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    throw Error(where, "its data_offsets are not [BEGIN, END]", "write the file with a safetensors library");
  }
  e.begin = offsets[0];
  e.end = offsets[1];
  if (e.end > available) {
    throw Error(where, "it ends at byte " + std::to_string(e.end) + " of " + std::to_string(available) + " bytes of data",
                "the file is truncated; copy or export it again");
  }
  const uint64_t needed = bytes_of(e, available, where);
  if (e.end - e.begin != needed) {
    throw Error(where,
                "its shape " + shape_text(e.shape) + " of " + std::string(dtype_info(e.dtype).name) + " needs " + std::to_string(needed) +
                    " bytes, but it has " + std::to_string(e.end - e.begin),
                "correct the shape or the data_offsets");
  }
  return e;
}

/// Tensors must cover the data exactly: each byte belongs to one of them.
void check_layout(const SafetensorsHeader& file, uint64_t size, const std::string& path) {
  std::vector<std::pair<uint64_t, std::string>> order;
  for (const auto& [name, e] : file.entries) {
    if (e.end > e.begin) order.emplace_back(e.begin, name);
  }
  std::sort(order.begin(), order.end());
  uint64_t at = 0;
  for (const auto& [begin, name] : order) {
    const std::string where = path + ": tensor " + name;
    if (begin < at) throw Error(where, "its bytes overlap another tensor's", "write the file with a safetensors library");
    if (begin > at) {
      throw Error(where, std::to_string(begin - at) + " bytes before it belong to no tensor", "write the file with a safetensors library");
    }
    at = file.entries.at(name).end;
  }
  if (at != size) throw Error(path, std::to_string(size - at) + " bytes at the end belong to no tensor", "copy or export the file again");
}

}  // namespace

const DTypeInfo& dtype_info(DType dtype) {
  return kDTypes[static_cast<size_t>(dtype)];
}

SafetensorsHeader parse_safetensors_header(std::string_view bytes, const std::string& path, DTypes dtypes) {
  if (bytes.size() < 8)
    throw Error(path, "the file has fewer than 8 bytes", "this is not a safetensors file, or a truncated one; export it again");
  const uint64_t length = little_endian(bytes.substr(0, 8)), rest = bytes.size() - 8;
  if (length > kMaxHeader || length > rest) {
    throw Error(path,
                "its header claims " + std::to_string(length) + " bytes, but " + std::to_string(rest) + " follow (limit " +
                    std::to_string(kMaxHeader) + ")",
                "this is not a safetensors file, or a truncated one; export it again");
  }
  const std::string_view text = bytes.substr(8, length);
  if (!text.starts_with('{'))
    throw Error(path + ": byte 8", "its header does not begin with {", "write the file with a safetensors library");
  const json header = parse_json(text, {path, "the file is damaged; copy or export it again", 1, 8});
  SafetensorsHeader file;
  file.data = 8 + length;
  const uint64_t available = rest - length;
  for (const auto& [name, j] : header.items()) {
    if (name != "__metadata__") {
      file.entries[name] = entry_of(j, available, path + ": tensor " + name, dtypes);
    } else if (j.is_object()) {
      for (const auto& [key, value] : j.items())
        if (value.is_string()) file.metadata[key] = value.get<std::string>();
    }
  }
  check_layout(file, available, path);
  return file;
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string shape_text(const std::vector<uint64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

}  // namespace bitgrid::frontend
