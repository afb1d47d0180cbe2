#include "frontend/npz.h"

#include <fmt/format.h>

#include "frontend/safetensors_writer.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/output_file.h"

namespace bitgrid::frontend {

namespace {

/// The header of an .npy file, padded so that the data begin at a multiple of 64 bytes.
std::string npy_header(const std::vector<uint64_t>& shape) {
  std::string dimensions;
  for (const uint64_t n : shape) dimensions += fmt::format("{}, ", n);
  std::string text = fmt::format("{{'descr': '<i8', 'fortran_order': False, 'shape': ({}), }}", dimensions);
  constexpr size_t kBefore = 10;
  text.resize((kBefore + text.size() + 1 + 63) / 64 * 64 - kBefore - 1, ' ');
  text += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  append_little_endian(out, text.size(), 2);
  return out + text;
}

std::string npy(const NamedArray& array) {
  std::string out = npy_header(array.shape);
  out.reserve(out.size() + array.values.size() * 8);
  for (const int64_t v : array.values) append_little_endian(out, static_cast<uint64_t>(v), 8);
  return out;
}

/// What local header and directory say alike: version, flags, method 0, time and date, CRC-32, sizes, length of the name.
std::string common_fields(const std::string& data, const std::string& name) {
  std::string out;
  append_little_endian(out, 20, 2);
  append_little_endian(out, 0, 2);
  append_little_endian(out, 0, 2);
  append_little_endian(out, 0, 2);
  append_little_endian(out, 0x21, 2);  // 1980-01-01
  append_little_endian(out, crc32(data), 4);
  append_little_endian(out, data.size(), 4);
  append_little_endian(out, data.size(), 4);
  append_little_endian(out, name.size(), 2);
  append_little_endian(out, 0, 2);
  return out;
}

}  // namespace

void write_npz(OutputFile& file, const std::vector<NamedArray>& arrays) {
  std::string directory;
  uint64_t at = 0;
  for (const NamedArray& array : arrays) {
    const std::string name = array.name + ".npy", data = npy(array), fields = common_fields(data, name);
    std::string local;
    append_little_endian(local, 0x04034b50, 4);
    local += fields + name;
    append_little_endian(directory, 0x02014b50, 4);
    append_little_endian(directory, 20, 2);
    directory += fields;
    append_little_endian(directory, 0, 2);  // comment, disk, attributes
    append_little_endian(directory, 0, 2);
    append_little_endian(directory, 0, 2);
    append_little_endian(directory, 0, 4);
    append_little_endian(directory, at, 4);
    directory += name;
    at += local.size() + data.size();
    if (at > UINT32_MAX) throw Error(file.path(), "the arrays have more than 4 GB", "dump fewer positions");
    file.write(local);
    file.write(data);
  }
  std::string end;
  append_little_endian(end, 0x06054b50, 4);
  append_little_endian(end, 0, 4);
  append_little_endian(end, arrays.size(), 2);
  append_little_endian(end, arrays.size(), 2);
  append_little_endian(end, directory.size(), 4);
  append_little_endian(end, at, 4);
  append_little_endian(end, 0, 2);
  file.write(directory + end);
  file.finish();
}

}  // namespace bitgrid::frontend
