// A whole file as bytes in memory, read by the system page by page as they are touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bitgrid::frontend {

/// A read-only map of a regular file. May be read from several threads. Shortening the file while it is mapped leads to SIGBUS, as with
/// every mapped file.
class MappedFile {
 public:
  /// Throws Error naming the path if there is no such file, if it is not a regular file, or if it cannot be read.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  /// Copies bytes from `begin` into `out`; returns how many there were. For what is read once: a copy leaves no pages in the map, and is
  /// cheaper than they are.
  size_t read(uint64_t begin, std::span<std::byte> out) const;
  /// Tells the system that the bytes from `begin` to before `end` will be read soon and in order.
  void will_read(uint64_t begin, uint64_t end) const;
  /// Gives the pages that lie wholly in [begin, end) back to the system. They can still be read: they then come from the file again.
  void release(uint64_t begin, uint64_t end) const;

 private:
  std::string path_;
  int file_ = -1;
  const std::byte* data_ = nullptr;  // nullptr: an empty file
  uint64_t size_ = 0;
};

}  // namespace bitgrid::frontend
