// Configuration words of a grid in pages that exist from the first write to the last read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ir/grid_config.h"

namespace bitgrid::frontend {

class WordStore {
 public:
  /// All words start as 0 and use no memory. Throws std::bad_alloc.
  WordStore(int width, int height);
  ~WordStore();
  WordStore(const WordStore&) = delete;
  WordStore& operator=(const WordStore&) = delete;

  CellWord& at(int x, int y) { return words_[static_cast<size_t>(y) * width_ + static_cast<size_t>(x)]; }
  std::span<const CellWord> row(int y) const { return {words_ + static_cast<size_t>(y) * width_, width_}; }
  /// Releases the pages of the rows before y, which then read as 0.
  void release_before(int y);

 private:
  size_t width_;
  size_t bytes_;
  size_t released_ = 0;
  CellWord* words_ = nullptr;
};

}  // namespace bitgrid::frontend
