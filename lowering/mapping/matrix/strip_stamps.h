// Chooses the stamps for the strips at the row ends of a form, and what is done above them in the corner.
#pragma once

#include <climits>
#include <cstdint>
#include <optional>
#include <vector>

#include "ir/kernel_form.h"
#include "lowering/mapping/matrix/low_profile_clamp.h"
#include "lowering/mapping/matrix/row_end_stamps.h"

namespace bitgrid::mapping {

/// What may be done in the corner, where it costs no cells.
enum class CornerUse : uint8_t {
  kNothing,      // the strips add words and constants and delay copies
  kAroundClamp,  // the corner does all of that, but only in kernels with a clamp; it adds a constant only if it also adds a word
  kAll,
};

/// The stamps that are stacked in each strip.
struct StripStamps {
  bool any = false;                   // rows turn south into strips
  bool words_only = false;            // no array: words enter the strips from the north border
  bool adds_start_words = false;      // two of them
  bool adds_word = false;             // in the corner: the residual word
  bool adds_constant = false;         // in the corner: form.strip_constant
  bool adds_border_constant = false;  // with words_only: the stamp `add` adds it as a stream from the north border
  std::optional<StripStamp> add, constant, clamp;
  std::vector<StripStamp> multipliers;
  std::vector<StripFeed> feeds;  // of the clamp, from the south
  int copy_late = 0;             // > 0: the clamp has no delay line, and column L takes a copy of the word this many phases later

  std::vector<const StripStamp*> chain(int group) const;
  int rows() const;
  /// Returns the phases from reading slot 0 at (R, first row) to reading it at the row below the last.
  int phases() const;
  /// Returns the slot of the outgoing word in which the result begins.
  int result_slot() const;
  /// Returns the column in which the result leaves: 0 is L, 1 is R.
  int result_column() const { return clamp ? 0 : 1; }
  /// Returns where a word of phase 0 at (R, first row) enters each lane, west of the first strip.
  std::vector<Lane> lanes() const;
};

/// `multipliers` is the number of groups for which stamps are made. Their sizes are equal.
StripStamps strip_stamps(const BitSerialForm& form, CornerUse corner, int multipliers = INT_MAX);

}  // namespace bitgrid::mapping
