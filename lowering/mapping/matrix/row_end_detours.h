// The row ends of a plan among bad cells: the places of strips, and the paths of words, lanes and results. The southernmost row turns south
// first, so that rows and strips never cross.
#pragma once

#include "lowering/mapping/matrix/array_detours.h"
#include "lowering/mapping/matrix/layout_attempt.h"

namespace bitgrid::mapping {

/// What the two stages share.
struct RowEnds {
  struct Adder {
    int y = 0;      // in column L of the strip
    int phase = 0;  // in which it reads slot 0
  };
  std::vector<Adder> adders;  // of each strip, in the corner; only with StripStamps::adds_word
  int bottom = 0;             // row after the last row of the strips
};

/// Puts strips, and the wires to them from the row ends, into the attempt's plan. nullopt: the attempt says why not.
std::optional<RowEnds> lay_strips(LayoutAttempt& attempt, const ArrayDetours& array);

/// Call this when the site has its final size. It lays marker lanes, words to be added, and results.
bool connect_strips(LayoutAttempt& attempt, const ArrayDetours& array, const RowEnds& ends);

}  // namespace bitgrid::mapping
