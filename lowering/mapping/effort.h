// How hard the netlist mapper tries.
#pragma once

#include <cstdint>
#include <string>

namespace bitgrid::mapping {

enum class Effort : uint8_t {
  kFast,     // always closes, in the shortest time, but with more cells
  kDefault,  //
  kDense,    // the fewest cells, but slow
};

/// Reads "fast", "default" or "dense". Throws Error that lists them.
Effort parse_effort(const std::string& text);

}  // namespace bitgrid::mapping
