#include "frontend/grids/word_store.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>

namespace bitgrid::frontend {
namespace {

/// System calls are not worth less.
constexpr size_t kReleaseBytes = size_t{1} << 20;

}  // namespace

WordStore::WordStore(int width, int height)
    : width_(static_cast<size_t>(width)),
      bytes_(std::max<size_t>(static_cast<size_t>(width) * static_cast<size_t>(height) * sizeof(CellWord), 1)) {
  void* memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  words_ = static_cast<CellWord*>(memory);
}

WordStore::~WordStore() {
  ::munmap(words_, bytes_);
}

void WordStore::release_before(int y) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t end = static_cast<size_t>(y) * width_ * sizeof(CellWord) / page * page;
  if (end < released_ + kReleaseBytes) return;
  ::madvise(reinterpret_cast<char*>(words_) + released_, end - released_, MADV_DONTNEED);
  released_ = end;
}

}  // namespace bitgrid::frontend
