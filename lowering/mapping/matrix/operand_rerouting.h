// The words of an array's columns among bad cells: below each defect of its column a word comes on a way of its own.
#pragma once

#include "lowering/mapping/matrix/layout_attempt.h"

namespace bitgrid::mapping {

/// Finds the ways of the words to the stretches of `attempt.plan`, whose southern edges are reserved, and takes what they and their taps
/// need. False: the attempt says which words found no way, and its next options leave their columns of cells out.
bool feed_words(LayoutAttempt& attempt);

}  // namespace bitgrid::mapping
