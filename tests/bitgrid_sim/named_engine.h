// Engines as parameters of tests.
#pragma once

#include <ostream>

#include "bitgrid_sim/kernel_simulator.h"

namespace bitgrid::sim {

struct NamedEngine {
  const char* name;
  GridEngine engine;
  operator GridEngine() const { return engine; }
  friend void PrintTo(const NamedEngine& e, std::ostream* out) { *out << e.name; }
};

constexpr NamedEngine kScalarEngine = {"scalar", GridEngine::kScalar}, kSlicedEngine = {"sliced", GridEngine::kSliced},
                      kLanesEngine = {"lanes", GridEngine::kLanes};

}  // namespace bitgrid::sim
