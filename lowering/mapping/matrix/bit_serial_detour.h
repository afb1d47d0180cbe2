// The systolic strategy on a fabric with bad cells and edges. docs/defects.md describes the construction.
#pragma once

#include <cstdint>
#include <string>

#include "ir/defects.h"
#include "lowering/mapping/matrix/bit_serial.h"

namespace bitgrid::mapping {

struct DetourStats {
  int attempts = 0;  // layouts tried
  int late = 0;      // of the chosen one: cycles by which words and rows are later at its eastern end
  int feeds = 0;     // words that enter once more, below a bad cell of their column
};

/// The kernel that map_bit_serial makes of `form`, laid so that it relies on no defect of the tile whose north-west corner it takes. The
/// same II; more cells and a longer latency. Throws Error (kernel, region, what stood in the way, cure) if no layout is found.
MappedKernel map_bit_serial_detour(const std::string& name, const BitSerialForm& form, uint32_t input_bits, const Defects& defects,
                                   DetourStats* stats = nullptr);

}  // namespace bitgrid::mapping
