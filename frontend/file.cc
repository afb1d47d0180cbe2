#include "frontend/file.h"

#include <filesystem>
#include <fstream>
#include <system_error>

#include "ir/error.h"

namespace bitgrid {

namespace fs = std::filesystem;

std::string read_file(const std::string& path, uint64_t limit) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) throw Error(path, "there is no such file", "check the path");
  if (fs::is_directory(status)) throw Error(path, "this is a folder", "name the file in it");
  if (!fs::is_regular_file(status)) throw Error(path, "this is no regular file", "copy the data into an ordinary file");
  const uint64_t size = fs::file_size(path, error);
  if (error) throw Error(path, "its size cannot be read: " + error.message(), "check its permissions");
  if (size > limit) {
    throw Error(path, "the file has " + std::to_string(size) + " bytes, more than the " + std::to_string(limit) + " allowed here",
                "check that this is the right file");
  }
  std::ifstream in(path, std::ios::binary);
  std::string bytes(size, '\0');
  if (!in || (size > 0 && !in.read(bytes.data(), static_cast<std::streamsize>(size)))) {
    throw Error(path, "the file cannot be read", "check its permissions");
  }
  return bytes;
}

uint64_t fnv1a(std::string_view bytes, uint64_t hash) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace bitgrid
