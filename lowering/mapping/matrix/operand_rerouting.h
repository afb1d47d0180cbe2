// The words of an array's columns among bad cells: below each defect of its column a word comes on a way of its own.
#pragma once

#include <vector>

#include "lowering/mapping/matrix/layout_attempt.h"

namespace bitgrid::mapping {

/// A stretch of a column's word, unbroken by defects, from the first cell that needs it to the last.
struct WordStretch {
  int column, x, top, bottom;
  int late;  // cycles
  struct Tap {
    int y;
    bool late;  // takes the word from the cell below
  };
  std::vector<Tap> taps;
};

/// Lays the words and what their taps need; the stretches' southern edges are reserved. False: the draft says which words found no way, and
/// its next plan leaves their columns of cells out.
bool feed_words(LayoutAttempt& draft, const std::vector<WordStretch>& stretches);

}  // namespace bitgrid::mapping
