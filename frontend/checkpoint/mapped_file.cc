#include "frontend/checkpoint/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ir/error.h"

namespace bitgrid::frontend {
namespace {

void check_regular(const std::string& path, const struct stat& info) {
  if (S_ISDIR(info.st_mode)) throw Error(path, "this is a folder", "name the file in it");
  if (!S_ISREG(info.st_mode)) throw Error(path, "this is not a regular file", "copy the data into an ordinary file");
}

uint64_t page_size() {
  return static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  struct stat info {};
  // Before opening: a FIFO would wait for its writer.
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) throw Error(path, "there is no such file", "check the path");
    throw Error(path, fmt::format("cannot be opened: {}", std::strerror(errno)), "check the path and its permissions");
  }
  check_regular(path, info);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(path, fmt::format("cannot be opened: {}", std::strerror(errno)), "check the path and its permissions");
  void* map = nullptr;
  int error = ::fstat(fd, &info) == 0 ? 0 : errno;
  size_ = static_cast<uint64_t>(info.st_size);
  if (error == 0 && size_ > 0) {
    map = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) error = errno;
  }
  if (error != 0) {
    ::close(fd);
    throw Error(path, fmt::format("cannot be mapped: {}", std::strerror(error)), "copy the file to an ordinary disk");
  }
  file_ = fd;
  data_ = static_cast<const std::byte*>(map);
  if (!text().starts_with("version https://git-lfs.github.com/")) return;
  ::munmap(map, size_);
  ::close(fd);
  throw Error(path, "this is a Git LFS pointer instead of the file", "run `git lfs pull` in its folder, or fetch the file itself");
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
  ::close(file_);
}

size_t MappedFile::read(uint64_t begin, std::span<std::byte> out) const {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(file_, out.data() + done, out.size() - done, static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(path_, fmt::format("cannot be read: {}", std::strerror(errno)), "copy the file to an ordinary disk");
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

void MappedFile::will_read(uint64_t begin, uint64_t end) const {
  end = std::min(end, size_);
  begin = begin / page_size() * page_size();
  if (begin >= end) return;
  ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_WILLNEED);
}

void MappedFile::release(uint64_t begin, uint64_t end) const {
  const uint64_t page = page_size();
  begin = (begin + page - 1) / page * page;
  end = end >= size_ ? size_ : end / page * page;  // the last page holds nothing else
  if (begin >= end) return;
  ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

}  // namespace bitgrid::frontend
