// Words that grow without being copied and take memory only where something was written.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitgrid::sim {

/// Zeros at first, on cache lines; large pages where the system has them. Growing beyond the reserve may move everything.
class PlanePool {
 public:
  PlanePool() = default;
  ~PlanePool();
  PlanePool(PlanePool&& other) noexcept { *this = static_cast<PlanePool&&>(other); }
  PlanePool& operator=(PlanePool&& other) noexcept;

  uint64_t* data() { return words_; }
  const uint64_t* data() const { return words_; }
  size_t size() const { return size_; }

  /// Reserves room for that many words, which takes address space only. Throws std::bad_alloc.
  void reserve(size_t words);
  void resize(size_t words);

 private:
  uint64_t* words_ = nullptr;
  size_t size_ = 0;
  size_t reserved_ = 0;
};

}  // namespace bitgrid::sim
