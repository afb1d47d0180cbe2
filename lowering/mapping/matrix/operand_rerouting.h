// Routes the words of an array's columns among bad cells. Below each defect of its column, a word arrives on a separate route.
#pragma once

#include "lowering/mapping/matrix/layout_attempt.h"

namespace bitgrid::mapping {

/// Finds routes for the words to the stretches of `attempt.plan`, whose southern edges are reserved, and takes the edges that they and
/// their taps need. False: the attempt says which words found no route, and its next options leave out their columns of cells.
bool feed_words(LayoutAttempt& attempt);

}  // namespace bitgrid::mapping
