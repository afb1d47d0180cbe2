// Copies of words that are wanted later than the words themselves: each leaves its word's wire somewhere and makes detours on free edges.
#pragma once

#include <cstddef>
#include <vector>

#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

struct LateCopy {
  FabricWire word;                 // taken already
  FabricEdge to;                   // the copy's last edge
  int late = 0;                    // phases between the latching of the word's last hop and the copy's
  std::vector<FabricEdge> kept{};  // reserved for this copy, whether it takes them or not
};

/// Takes the edges of all copies, appends their wires to `found` and returns an empty list; or takes none and returns the indices of those
/// that found no way.
std::vector<size_t> find_late_copies(Fabric& fabric, const std::vector<LateCopy>& copies, std::vector<FabricWire>& found);

}  // namespace bitgrid::mapping
