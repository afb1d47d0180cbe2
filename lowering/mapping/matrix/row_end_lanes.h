// The strips at the row ends of a systolic kernel among bad cells. The southernmost row turns south first, so that rows and strips never
// cross.
#pragma once

#include <optional>
#include <vector>

#include "lowering/mapping/matrix/detour_array.h"
#include "lowering/mapping/matrix/low_profile_clamp.h"
#include "lowering/mapping/matrix/row_end_stamps.h"

namespace bitgrid::mapping {

/// The stamps that stand on top of each other in each strip.
struct StripStamps {
  bool words_only = false;        // no array: words enter the strips from the north border
  bool adds_start_words = false;  // two of them
  bool adds_in_corner = false;    // words are added where the row turns south, not in a stamp
  int64_t adds_constant = 0;      // with words_only: the stamp `add` adds it, a stream from the north border
  std::optional<StripStamp> add, constant, clamp;
  std::vector<StripStamp> multipliers;
  std::vector<StripFeed> feeds;  // of the clamp, from the south
  int copy_late = 0;             // > 0: the clamp has no delay line: column L takes a copy of the word so many phases later

  bool any() const { return words_only || add || constant || clamp || !multipliers.empty(); }
  std::vector<const StripStamp*> chain(int group) const;
  int rows() const;
  /// In which the result leaves: 0 is L, 1 is R.
  int result_column() const { return clamp ? 0 : 1; }
};

/// `compact`: what can be done above the strips is not done in them.
StripStamps strip_stamps(const BitSerialForm& form, bool compact);

struct Strip {
  int group = 0;
  int left = 0;      // column L
  int add_y = 0;     // with adds_in_corner: where the adder stands, in column L
  int add_late = 0;  // and phases by which it is later than geometry asks for
};

struct RowEndLanes {
  std::vector<Strip> strips;  // from west to east
  int y = 0;                  // their first row of cells
  int bottom = 0;             // behind their last one
  int delay = 0;              // phases that a word takes through a strip, hops south aside
};

/// Lays the wires from the row ends and the stamps. nullopt: the draft says why.
std::optional<RowEndLanes> lay_strips(LayoutAttempt& draft, const StripStamps& stamps, const DetourArray& array);

/// Marker lanes, words to be added, and results, when the canvas has its final size.
bool connect_strips(LayoutAttempt& draft, const StripStamps& stamps, const DetourArray& array, RowEndLanes& strips);

}  // namespace bitgrid::mapping
