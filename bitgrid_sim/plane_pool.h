// Words that grow without copying and use memory only where something was written.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitgrid::sim {

/// The words start as zeros, aligned to cache lines, on large pages if the system has them. Growth beyond the reserve may move everything.
class PlanePool {
 public:
  PlanePool() = default;
  ~PlanePool();
  PlanePool(PlanePool&& other) noexcept { *this = static_cast<PlanePool&&>(other); }
  PlanePool& operator=(PlanePool&& other) noexcept;

  uint64_t* data() { return words_; }
  const uint64_t* data() const { return words_; }
  size_t size() const { return size_; }

  /// Reserves address space for that many words, but no memory. Throws std::bad_alloc.
  void reserve(size_t words);
  void resize(size_t words);

 private:
  uint64_t* words_ = nullptr;
  size_t size_ = 0;
  size_t reserved_ = 0;
};

}  // namespace bitgrid::sim
