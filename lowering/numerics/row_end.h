// The numbers of what happens to a sum at the end of its row: constants, widths and encodings, before any cell is placed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/model.h"
#include "ir/model_ranges.h"
#include "ir/program.h"
#include "lowering/mapping/matrix/bit_serial.h"

namespace bitgrid::numerics {

/// Returns how many bits a number >= 0 takes. 0 takes none.
int bits_of(int64_t value);

/// A Requantise in normal form. If all multipliers are one power of two, they go into the shift. Multipliers that no stamp can take go into
/// the weights if there are any; otherwise the sums come later, so that there is more to drop. A left shift also makes the sums come later.
struct NormalRequantise {
  int shift = 0;  // >= 0
  int lo = 0;
  int hi = 0;
  int left = 0;                        // all words enter this many slots later, so that the sum is multiplied by 2^left
  std::vector<int64_t> weight_factor;  // one per row: multiplies weights and bias
  std::vector<int64_t> bias;           // one per row, before weight_factor
  bool multiply = false;
  std::vector<int> multiplier;  // one per row

  /// Returns the factor of a row's sum and bias before they reach the row end.
  int64_t scale(size_t row) const { return weight_factor[row] << left; }
};

/// A requantisation or sign of sums y[r], r < rows. Its result is read from the word y[r] * scale(r) + total[r] (times multiplier, plus
/// multiplier_constant).
struct RowEnd {
  bool sign = false;            // otherwise clamp
  NormalRequantise requantise;  // of a clamp
  ClampForm clamp;
  bool multiply = false;
  std::vector<int64_t> total;
  std::vector<int> multiplier;           // 1 without multiply
  std::vector<int> multiplier_constant;  // 0 without multiply
  int min_word_slots = 0;                // P must be at least this
  Encoding encoding;                     // of the result
  uint64_t max_code = 0;
};

/// `foldable`: the weights may be multiplied.
NormalRequantise normalise(const Requantise& requantise, int rows, bool foldable);

/// `y` is the range of each row's sum. `extra_sign_bits` raises the position of the sign, and therefore `total`.
RowEnd plan_clamp(const NormalRequantise& requantise, const std::vector<Range>& y, int extra_sign_bits);
/// `word_slots` is P. The last slot holds the sign.
RowEnd plan_sign(const Sign& sign, const std::vector<Range>& y, int word_slots);
/// Returns the smallest P for plan_sign.
int sign_word_slots(const Sign& sign, const std::vector<Range>& y);

/// Returns the result of row r in a kernel's Dag, from the node of sum = y + sum_offset. For a sign, the node has exactly P bits.
NodeId result_node(Dag& dag, NodeId sum, const RowEnd& end, size_t r, int64_t sum_offset);

/// Returns the encoding in which results of an activation travel.
Encoding activation_encoding(const Activation& activation);
uint64_t activation_max_code(const Activation& activation);

}  // namespace bitgrid::numerics
