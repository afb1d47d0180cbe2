// How hard the netlist mapper tries.
#pragma once

#include <cstdint>
#include <string>

namespace bitgrid::mapping {

enum class Effort : uint8_t {
  kFast,     // always closes, in the shortest time; more cells
  kDefault,  //
  kDense,    // the fewest cells, slowly
};

/// "fast", "default" or "dense". Throws Error listing them.
Effort parse_effort(const std::string& text);

}  // namespace bitgrid::mapping
