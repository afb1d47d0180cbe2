#include "frontend/safetensors_writer.h"

#include <cassert>
#include <nlohmann/json.hpp>

namespace bitgrid::frontend {

namespace {

constexpr size_t kWriteAtOnce = size_t{1} << 22;

uint64_t size_of(const WrittenTensor& t) {
  uint64_t bytes = dtype_info(t.dtype).bytes;
  for (const uint64_t n : t.shape) bytes *= n;
  return bytes;
}

std::string header_of(const std::vector<WrittenTensor>& tensors, const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const WrittenTensor& t : tensors) {
    const uint64_t end = at + size_of(t);
    header[t.name] = {{"dtype", dtype_info(t.dtype).name}, {"shape", t.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin at a multiple of 8 bytes
  return text;
}

}  // namespace

void append_little_endian(std::string& out, uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 255U);
}

void write_safetensors(OutputFile& file, const std::vector<WrittenTensor>& tensors, const std::map<std::string, std::string>& metadata,
                       const std::function<void(uint64_t, uint64_t)>& progress) {
  const std::string header = header_of(tensors, metadata);
  std::string bytes;
  append_little_endian(bytes, header.size(), 8);
  bytes += header;
  uint64_t written = 0, total = bytes.size();
  for (const WrittenTensor& t : tensors) total += size_of(t);
  const auto flush = [&] {
    file.write(bytes);
    written += bytes.size();
    bytes.clear();
    if (progress) progress(written, total);
  };
  for (const WrittenTensor& t : tensors) {
    const uint64_t rows = t.shape.empty() ? 1 : t.shape[0];
    for (uint64_t r = 0; r < rows; ++r) {
      t.row(r, bytes);
      if (bytes.size() >= kWriteAtOnce) flush();
    }
  }
  flush();
  assert(written == total);
}

}  // namespace bitgrid::frontend
