#include "frontend/safetensors.h"

#include <algorithm>
#include <array>

#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_reader.h"
#include "ir/json_text.h"

namespace bitgrid::frontend {

namespace {

using nlohmann::json;

constexpr uint64_t kMaxFile = uint64_t{1} << 32;
constexpr uint64_t kMaxHeader = uint64_t{1} << 24;

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  unsigned bytes;
  bool is_signed;
};

constexpr std::array<DTypeInfo, 5> kDTypes = {{{DType::kI8, "I8", 1, true},
                                               {DType::kU8, "U8", 1, false},
                                               {DType::kI16, "I16", 2, true},
                                               {DType::kI32, "I32", 4, true},
                                               {DType::kI64, "I64", 8, true}}};

const DTypeInfo& info(DType dtype) {
  return kDTypes[static_cast<size_t>(dtype)];
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void append_little_endian(std::string& out, uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 255u);
}

DType dtype_of(const json& j, const std::string& where) {
  if (!j.is_string()) throw Error(where, "its dtype is missing or no text", "write the file with a safetensors library");
  const std::string name = j.get<std::string>();
  for (const DTypeInfo& d : kDTypes) {
    if (d.name == name) return d.dtype;
  }
  if (name == "F64" || name == "F32" || name == "F16" || name == "BF16") {
    throw Error(where, "its dtype is " + name + ", but models here are integers only",
                "export the quantised integers: weights as I8, biases and tables as I32");
  }
  throw Error(where, "its dtype " + json(name).dump(-1, ' ', false, json::error_handler_t::replace) + " is unknown",
              "use I8, U8, I16, I32 or I64");
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

/// Bytes of a tensor of that shape; checked against the bytes at hand before multiplying, so that it cannot overflow.
uint64_t bytes_of(const Safetensors::Entry& e, uint64_t available, const std::string& where) {
  uint64_t bytes = info(e.dtype).bytes;
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

Safetensors::Entry entry_of(const json& j, uint64_t available, const std::string& where) {
  if (!j.is_object()) throw Error(where, "its header entry is not an object", "write the file with a safetensors library");
  const auto field = [&](const char* key) { return j.contains(key) ? j.at(key) : json(); };
  Safetensors::Entry e;
  e.dtype = dtype_of(field("dtype"), where);
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
                "its shape " + shape_text(e.shape) + " of " + std::string(info(e.dtype).name) + " needs " + std::to_string(needed) +
                    " bytes, but it has " + std::to_string(e.end - e.begin),
                "correct the shape or the data_offsets");
  }
  return e;
}

/// Tensors must cover the data exactly: each byte belongs to one of them.
void check_layout(const Safetensors& file) {
  std::vector<std::pair<uint64_t, std::string>> order;
  for (const auto& [name, e] : file.entries) {
    if (e.end > e.begin) order.emplace_back(e.begin, name);
  }
  std::sort(order.begin(), order.end());
  uint64_t at = 0;
  for (const auto& [begin, name] : order) {
    const std::string where = file.path + ": tensor " + name;
    if (begin < at) throw Error(where, "its bytes overlap another tensor's", "write the file with a safetensors library");
    if (begin > at) {
      throw Error(where, std::to_string(begin - at) + " bytes before it belong to no tensor", "write the file with a safetensors library");
    }
    at = file.entries.at(name).end;
  }
  const uint64_t size = file.bytes.size() - file.data;
  if (at != size)
    throw Error(file.path, std::to_string(size - at) + " bytes at the end belong to no tensor", "copy or export the file again");
}

}  // namespace

Safetensors read_safetensors(const std::string& path) {
  return parse_safetensors(read_file(path, kMaxFile), path);
}

Safetensors parse_safetensors(std::string bytes, const std::string& path) {
  Safetensors file;
  file.path = path;
  file.bytes = std::move(bytes);
  if (file.bytes.size() < 8)
    throw Error(path, "the file has fewer than 8 bytes", "this is not a safetensors file, or a truncated one; export it again");
  const uint64_t length = little_endian(std::string_view(file.bytes).substr(0, 8));
  if (length > kMaxHeader || length > file.bytes.size() - 8) {
    throw Error(path,
                "its header claims " + std::to_string(length) + " bytes, but " + std::to_string(file.bytes.size() - 8) + " follow (limit " +
                    std::to_string(kMaxHeader) + ")",
                "this is not a safetensors file, or a truncated one; export it again");
  }
  file.data = 8 + static_cast<size_t>(length);
  const std::string_view text = std::string_view(file.bytes).substr(8, static_cast<size_t>(length));
  if (!text.starts_with('{')) throw Error(path + ": byte 8", "its header begins with no {", "write the file with a safetensors library");
  const json header = parse_json(text, {path, "the file is damaged; copy or export it again", 1, 8});
  const uint64_t available = file.bytes.size() - file.data;
  for (const auto& [name, j] : header.items()) {
    if (name == "__metadata__") continue;
    file.entries[name] = entry_of(j, available, path + ": tensor " + name);
  }
  check_layout(file);
  return file;
}

StoredTensor tensor(const Safetensors& file, const std::string& name) {
  const Safetensors::Entry& e = file.entries.at(name);
  const DTypeInfo& d = info(e.dtype);
  StoredTensor t{name, e.dtype, e.shape, {}};
  const std::string_view raw = std::string_view(file.bytes).substr(file.data + e.begin, e.end - e.begin);
  t.values.reserve(raw.size() / d.bytes);
  const unsigned unused = 64 - 8 * d.bytes;
  for (size_t i = 0; i < raw.size(); i += d.bytes) {
    const uint64_t bits = little_endian(raw.substr(i, d.bytes)) << unused;
    t.values.push_back(d.is_signed ? static_cast<int64_t>(bits) >> unused : static_cast<int64_t>(bits >> unused));
  }
  return t;
}

std::string print_safetensors(const std::vector<StoredTensor>& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::string data;
  for (const StoredTensor& t : tensors) {
    const DTypeInfo& d = info(t.dtype);
    const std::string where = "tensor " + t.name;
    uint64_t count = 1;
    for (const uint64_t n : t.shape) count *= n;
    if (count != t.values.size()) {
      throw Error(where, std::to_string(t.values.size()) + " values for the shape " + shape_text(t.shape), "correct the shape");
    }
    if (header.contains(t.name)) throw Error(where, "two tensors have this name", "rename one");
    const unsigned bits = 8 * d.bytes;
    const int64_t hi = d.is_signed ? static_cast<int64_t>((~uint64_t{0}) >> (65 - bits)) : static_cast<int64_t>((uint64_t{1} << bits) - 1);
    const int64_t lo = d.is_signed ? -hi - 1 : 0;
    const uint64_t begin = data.size();
    for (size_t i = 0; i < t.values.size(); ++i) {
      if (t.values[i] < lo || t.values[i] > hi) {
        throw Error(where,
                    "the value " + std::to_string(t.values[i]) + " at " + index_text(t.shape, i) + " does not fit " + std::string(d.name),
                    "choose a wider dtype");
      }
      append_little_endian(data, static_cast<uint64_t>(t.values[i]), d.bytes);
    }
    header[t.name] = {{"dtype", d.name}, {"shape", t.shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text = json_text(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string out;
  append_little_endian(out, text.size(), 8);
  return out + text + data;
}

void write_safetensors(const std::string& path, const std::vector<StoredTensor>& tensors) {
  write_file(path, print_safetensors(tensors));
}

std::string shape_text(const std::vector<uint64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

std::string index_text(const std::vector<uint64_t>& shape, uint64_t i) {
  std::vector<uint64_t> index(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    index[d] = shape[d] ? i % shape[d] : 0;
    i = shape[d] ? i / shape[d] : 0;
  }
  return shape_text(index);
}

}  // namespace bitgrid::frontend
