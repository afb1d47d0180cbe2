// Padding is 0. What a padded matrix reads may have no code for it: -1 and 1 of a binary network.
#pragma once

#include "ir/integer_network.h"

namespace bitgrid::networks {

/// The range with a code for 0: reaching to it, in finer steps where its own miss it.
CodeRange with_zero(const CodeRange& range);

/// The same network, in which everything that a padded matrix reads has a code for 0: some levels of its thresholds stand for several, or
/// are always or never reached. Of the input only the range changes.
IntegerNetwork with_zero_codes(IntegerNetwork network);

}  // namespace bitgrid::networks
