#include "frontend/safetensors.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "frontend/safetensors_writer.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_text.h"

namespace bitgrid::frontend {

namespace {

constexpr uint64_t kMaxFile = uint64_t{1} << 32;

}  // namespace

Safetensors read_safetensors(const std::string& path) {
  return parse_safetensors(read_file(path, kMaxFile), path);
}

Safetensors parse_safetensors(std::string bytes, const std::string& path) {
  Safetensors file{parse_safetensors_header(bytes, path, DTypes::kIntegers), path, {}};
  file.bytes = std::move(bytes);
  return file;
}

StoredTensor tensor(const Safetensors& file, const std::string& name) {
  const SafetensorsEntry& e = file.entries.at(name);
  const DTypeInfo& d = dtype_info(e.dtype);
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
    const DTypeInfo& d = dtype_info(t.dtype);
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

std::string index_text(const std::vector<uint64_t>& shape, uint64_t i) {
  std::vector<uint64_t> index(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    index[d] = shape[d] ? i % shape[d] : 0;
    i = shape[d] ? i / shape[d] : 0;
  }
  return shape_text(index);
}

}  // namespace bitgrid::frontend
