// Measures how long a stage takes.
#pragma once

#include <chrono>

namespace bitgrid {

using Clock = std::chrono::steady_clock;

/// Returns the seconds since `begin`.
inline double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace bitgrid
