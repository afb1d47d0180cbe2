// Copies of words that are wanted later than the words themselves: each leaves its word's wire somewhere and wanders about on free edges.
#pragma once

#include <cstddef>
#include <vector>

#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

struct LateCopy {
  FabricWire word;                 // laid already
  FabricEdge to;                   // the copy's last edge
  int late = 0;                    // phases between the latching of the word's last hop and the copy's
  std::vector<FabricEdge> kept{};  // reserved for this copy, whether it takes them or not
};

/// Lays all copies and returns an empty list, or lays none and returns the indices of those that found no way.
std::vector<size_t> lay_late_copies(Fabric& fabric, const std::vector<LateCopy>& copies);

}  // namespace bitgrid::mapping
