// Configuration words of a grid in pages that exist from the first write to the last read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ir/grid_config.h"

namespace bitgrid::frontend {

class WordStore {
 public:
  /// All words are 0 and take no memory yet. Throws std::bad_alloc.
  WordStore(int width, int height);
  ~WordStore();
  WordStore(const WordStore&) = delete;
  WordStore& operator=(const WordStore&) = delete;

  CellWord& at(int x, int y) { return words_[static_cast<size_t>(y) * width_ + static_cast<size_t>(x)]; }
  std::span<const CellWord> row(int y) const { return {words_ + static_cast<size_t>(y) * width_, width_}; }
  /// Gives back the pages of the rows before y: they read as 0 then.
  void release_before(int y);

 private:
  size_t width_;
  size_t bytes_;
  size_t released_ = 0;
  CellWord* words_ = nullptr;
};

}  // namespace bitgrid::frontend
