#include "ir/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "ir/error.h"
#include "ir/output_file.h"

namespace bitgrid {
namespace {

std::string reason() {
  return std::strerror(errno);
}

/// Closes on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Slicing by 8: table[k][b] is the CRC of byte b followed by k zero bytes.
constexpr auto kCrcTables = [] {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? 0xEDB88320u : 0u);
    tables[0][b] = crc;
  }
  for (uint32_t b = 0; b < 256; ++b) {
    for (size_t k = 1; k < 8; ++k) tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xFFu];
  }
  return tables;
}();

}  // namespace

std::string read_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw Error(path, "cannot be opened: " + reason(), "check the path and its permissions");
  struct stat info {};
  if (::fstat(file.get(), &info) == 0 && S_ISDIR(info.st_mode)) throw Error(path, "is a folder", "name a file");
  std::string data;
  if (info.st_size > 0) data.reserve(static_cast<size_t>(info.st_size));
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t n = ::read(file.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(path, "cannot be read: " + reason(), "check the file system");
    if (n == 0) return data;
    data.append(chunk.data(), static_cast<size_t>(n));
  }
}

std::string read_file(const std::string& path, uint64_t limit) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) throw Error(path, "there is no such file", "check the path");
  if (std::filesystem::is_directory(status)) throw Error(path, "this is a folder", "name the file in it");
  if (!std::filesystem::is_regular_file(status)) throw Error(path, "this is not a regular file", "copy the data into an ordinary file");
  const uint64_t size = std::filesystem::file_size(path, error);
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

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

bool is_regular_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

void write_file(const std::string& path, std::string_view data) {
  OutputFile file(path);
  file.write(data);
  file.finish();
}

uint32_t crc32(std::string_view data) {
  const auto& t = kCrcTables;
  uint32_t crc = 0xFFFFFFFFu;
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(data[i])); };
  size_t i = 0;
  for (; i + 8 <= data.size(); i += 8) {
    const uint32_t low = crc ^ (byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24);
    crc = t[7][low & 0xFFu] ^ t[6][(low >> 8) & 0xFFu] ^ t[5][(low >> 16) & 0xFFu] ^ t[4][low >> 24] ^ t[3][byte(i + 4)] ^
          t[2][byte(i + 5)] ^ t[1][byte(i + 6)] ^ t[0][byte(i + 7)];
  }
  for (; i < data.size(); ++i) crc = (crc >> 8) ^ t[0][(crc ^ byte(i)) & 0xFFu];
  return ~crc;
}

uint64_t fnv1a(std::string_view data, uint64_t hash) {
  for (const char c : data) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace bitgrid
