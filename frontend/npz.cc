#include "frontend/npz.h"

#include "frontend/npy.h"
#include "frontend/safetensors_writer.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/output_file.h"

namespace bitgrid::frontend {

namespace {

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
    const std::string name = array.name + ".npy", data = npy_bytes(array.shape, array.values), fields = common_fields(data, name);
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
