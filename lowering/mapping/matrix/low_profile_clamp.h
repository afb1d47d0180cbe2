// Saturation at the row ends in four or five rows of cells (docs/stamps.md#low-profile-clamp-4-rows). Two of its control streams come up
// the two columns of each strip from the south border, where they cost no cells.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lowering/mapping/matrix/row_end_stamps.h"

namespace bitgrid::mapping {

/// A constant stream of period P that enters a stamp's last row from the south, in each strip.
struct StripFeed {
  int column = 0;              // 0: L, 1: R
  int phase = 0;               // at which that cell reads slot 0, relative to the phase in which (R, first row) reads slot 0 of the word
  std::vector<uint8_t> slots;  // P bits
};

/// Two columns in which a word runs south in column R. A copy of the word enters (R, last row) from the north and leaves (L, last row)
/// south.
struct DelayLine {
  int rows = 0;
  std::string copy;  // moves
};

/// Returns a line in which the copy takes `hops` hops (an even number).
DelayLine delay_line(int hops);
/// Returns the hops of the copy that a clamp needs, and the phases between (R, first row) reading the word and (L, first row) of the clamp
/// reading the copy.
constexpr int clamp_copy_hops(int sign) {
  return 2 * sign + 2;  // the overflow flag reaches the OR gate a cycle late
}
constexpr int clamp_copy_late(int sign) {
  return clamp_copy_hops(sign) - 1;
}

/// Unlike other stamps, it passes its result south in column L.
struct FlatClamp {
  StripStamp stamp;
  std::vector<StripFeed> feeds;
  int copy_late = 0;  // without a delay line: (L, first row) reads a copy of the word from the north this many phases after (R, first row)
};

/// With `with_delay_line`, the stamp's own rows make the copy. Bits of the outgoing word that do not belong to the result are undefined.
FlatClamp flat_clamp(const ClampParams& params, bool with_delay_line);

}  // namespace bitgrid::mapping
