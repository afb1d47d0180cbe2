// Cached keys and values of models with scales, in the forms that CacheForms names.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/scaled_model.h"

namespace bitgrid::cpu {

/// A stored vector of one head: value = code * mantissa * 2^exponent. The code is c with a shift, and 2 c + 1 otherwise.
struct CacheEntry {
  std::span<const int8_t> codes;  // the c
  bool odd = false;               // code = 2 c + 1
  int mantissa = 0;
  int exponent = 0;

  int64_t code(size_t i) const { return odd ? 2 * int64_t{codes[i]} + 1 : codes[i]; }
};

/// Entries of one head at consecutive positions, as they lie in memory. Entry i begins at codes[i * heads * width]; its mantissa and its
/// exponent are elements i * heads.
struct CacheRun {
  const int8_t* codes = nullptr;
  const uint8_t* mantissas = nullptr;
  const int16_t* exponents = nullptr;
  size_t heads = 0, width = 0;
  size_t count = 0;

  size_t stride() const { return heads * width; }
};

/// All entries of one form of one layer: [positions][kv heads]. `window` 0 keeps all positions; otherwise only the last `window` are kept.
class CacheRing {
 public:
  CacheRing(size_t heads, size_t head_width, CacheForm form, size_t window)
      : heads_(heads), width_(head_width), form_(form), window_(window) {}

  /// Adds the next position: `values` [heads][head_width] in fixed point, cut to the form. `mean_step` comes from ScaledTables.
  void add(std::span<const int64_t> values, const std::vector<Scalar>& mean_step);
  CacheEntry at(size_t position, size_t head) const;
  /// Returns the entries from `position` up to `end` or to where the ring wraps around.
  CacheRun run(size_t position, size_t end, size_t head) const;
  /// Returns whether a code is 2 c + 1.
  bool odd() const { return form_.step != CacheForm::Step::kShift; }
  size_t positions() const { return positions_; }

 private:
  size_t slot(size_t position) const { return window_ == 0 ? position : position % window_; }

  size_t heads_, width_;
  CacheForm form_;
  size_t window_;
  size_t positions_ = 0;
  std::vector<int8_t> codes_;
  std::vector<uint8_t> mantissas_;
  std::vector<int16_t> exponents_;
};

/// Keys or values of one layer: older positions in one form, recent ones in eight bits.
struct LayerCache {
  CacheRing old;
  CacheRing recent;
};

/// v -> H (D v): the Hadamard matrix (without 1 / sqrt) after the Rudin-Shapiro signs. The number of elements must be a power of two.
void rotate(std::span<int64_t> v);
/// v -> D (H v): undoes `rotate`, up to the factor v.size().
void rotate_back(std::span<int64_t> v);

}  // namespace bitgrid::cpu
