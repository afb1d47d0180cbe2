#include "frontend/npz_reader.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/file.h"

#ifdef BITGRID_LIBZIP
#include <zip.h>

#include <memory>
#endif

namespace bitgrid::frontend {
namespace {

constexpr uint64_t kMostNpzBytes = uint64_t{1} << 31;  // of the file, and of its arrays together

}  // namespace

#ifdef BITGRID_LIBZIP

namespace {

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

/// The unpacked bytes of an entry.
std::string entry_bytes(zip_t* archive, zip_uint64_t index, uint64_t size, const std::string& where) {
  const std::unique_ptr<zip_file_t, CloseEntry> entry(zip_fopen_index(archive, index, 0));
  std::string bytes;  // grows with what comes: the size is what the file claims
  std::vector<char> part(1 << 16);
  zip_int64_t n = entry ? 1 : -1;
  while (n > 0 && bytes.size() <= size) {  // libzip compares the checksum where the end is read
    n = zip_fread(entry.get(), part.data(), part.size());
    if (n > 0) bytes.append(part.data(), static_cast<size_t>(n));
  }
  if (n != 0 || bytes.size() != size)
    throw Error(where, "it cannot be unpacked: it is cut off, damaged, or packed in another way", "write it with numpy.savez");
  return bytes;
}

}  // namespace

std::vector<NpzEntry> parse_npz(const std::string& bytes, const std::string& source) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* buffer = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip_t* opened = buffer == nullptr ? nullptr : zip_open_from_source(buffer, ZIP_RDONLY, &error);
  if (opened == nullptr) {
    zip_source_free(buffer);
    zip_error_fini(&error);
    throw Error(source, "it is not an .npz file, or it is cut off", "write it with numpy.savez");
  }
  zip_error_fini(&error);
  const std::unique_ptr<zip_t, CloseArchive> archive(opened);
  std::vector<NpzEntry> arrays;
  uint64_t total = 0;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(archive.get(), static_cast<zip_uint64_t>(i), 0, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0 ||
        (stat.valid & ZIP_STAT_SIZE) == 0)
      throw Error(source, fmt::format("entry {} has no name or size", i), "write it with numpy.savez");
    std::string name = stat.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    const std::string where = source + ", array " + name;
    if (stat.size > kMostNpzBytes - total)
      throw Error(where, fmt::format("the arrays have more than {} bytes", kMostNpzBytes), "write fewer rows or layers");
    total += stat.size;
    arrays.push_back({name, parse_npy(entry_bytes(archive.get(), static_cast<zip_uint64_t>(i), stat.size, where), where)});
  }
  return arrays;
}

#else

std::vector<NpzEntry> parse_npz(const std::string&, const std::string& source) {
  throw Error(source, "this build does not read .npz files", "install libzip-dev and build again");
}

#endif

std::vector<NpzEntry> read_npz(const std::string& path) {
  return parse_npz(bitgrid::read_file(path, kMostNpzBytes), path);
}

}  // namespace bitgrid::frontend
