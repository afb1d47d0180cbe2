#include "bitgrid_sim/plane_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>

namespace bitgrid::sim {
namespace {

/// From this many bytes on, large pages waste little.
constexpr size_t kLargePages = size_t{4} << 20;

}  // namespace

PlanePool::~PlanePool() {
  if (words_) ::munmap(words_, reserved_ * sizeof(uint64_t));
}

PlanePool& PlanePool::operator=(PlanePool&& other) noexcept {
  std::swap(words_, other.words_);
  std::swap(size_, other.size_);
  std::swap(reserved_, other.reserved_);
  return *this;
}

void PlanePool::reserve(size_t words) {
  if (words <= reserved_) return;
  const size_t bytes = words * sizeof(uint64_t);
  void* memory = words_ ? ::mremap(words_, reserved_ * sizeof(uint64_t), bytes, MREMAP_MAYMOVE)
                        : ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  if (bytes >= kLargePages) ::madvise(memory, bytes, MADV_HUGEPAGE);
  words_ = static_cast<uint64_t*>(memory);
  reserved_ = words;
}

void PlanePool::resize(size_t words) {
  if (words > reserved_) reserve(std::max(words, 2 * reserved_));
  size_ = words;
}

}  // namespace bitgrid::sim
