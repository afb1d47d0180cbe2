// How long searches can be stopped from outside.
#pragma once

#include <functional>

namespace bitgrid::mapping {

/// Long searches call it often, if it is there. What it throws ends the mapping. It must not throw Error, which means that a method fails.
using StopPoint = std::function<void()>;

inline void pass(const StopPoint& stop_point) {
  if (stop_point) stop_point();
}

}  // namespace bitgrid::mapping
