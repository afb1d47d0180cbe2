// Shorter words for sums of which only the sign is read.
#pragma once

#include "lowering/mapping/matrix/bit_serial.h"

namespace bitgrid::mapping {

/// Gives the same signs with a smaller word length P, by dropping the slots in which no column has a bit. Numbers of scale 2 and more, such
/// as -1 and +1, leave the lowest slots of a sum to constants, and the lowest bits of a constant do not change the sign. Other forms are
/// returned unchanged.
BitSerialForm drop_trailing_zero_bits(BitSerialForm form);

}  // namespace bitgrid::mapping
