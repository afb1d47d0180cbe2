// Shorter words for sums that are read as a sign only.
#pragma once

#include "lowering/mapping/matrix/bit_serial.h"

namespace bitgrid::mapping {

/// The same signs with a word length P smaller by the slots in which no column has a bit: numbers of scale 2 and more, such as -1 and +1,
/// leave the lowest slots of a sum to constants, and a constant's lowest bits do not change the sign. Other forms are returned as they are.
BitSerialForm drop_trailing_zero_bits(BitSerialForm form);

}  // namespace bitgrid::mapping
