// A whole file as bytes in memory. The system reads its pages when they are touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bitgrid::frontend {

/// A read-only map of a regular file. Several threads may read it. Shortening the file while it is mapped causes SIGBUS, as with every
/// mapped file.
class MappedFile {
 public:
  /// Throws Error with the path if the file does not exist, is not a regular file, or cannot be read.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  /// Copies bytes from `begin` into `out`, and returns how many there were. Use it for data that is read once: a copy leaves no pages in
  /// the map and costs less than they do.
  size_t read(uint64_t begin, std::span<std::byte> out) const;
  /// Tells the system that bytes `begin` .. `end` - 1 will be read soon and in order.
  void will_read(uint64_t begin, uint64_t end) const;
  /// Returns the pages that lie completely in [begin, end) to the system. They can still be read, but then come from the file again.
  void release(uint64_t begin, uint64_t end) const;

 private:
  std::string path_;
  int file_ = -1;
  const std::byte* data_ = nullptr;  // nullptr: an empty file
  uint64_t size_ = 0;
};

}  // namespace bitgrid::frontend
