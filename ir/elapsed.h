// Time of a stage.
#pragma once

#include <chrono>

namespace bitgrid {

using Clock = std::chrono::steady_clock;

/// Seconds since then.
inline double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace bitgrid
