// Copies of words that are needed later than the words themselves. Each leaves its word's wire somewhere and makes detours on free edges.
#pragma once

#include <cstddef>
#include <vector>

#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

struct LateCopy {
  FabricWire word;                 // already taken
  FabricEdge to;                   // the copy's last edge
  int late = 0;                    // phases from the latching of the word's last hop to that of the copy's last hop
  std::vector<FabricEdge> kept{};  // reserved for this copy, whether it uses them or not
};

/// Takes the edges of all copies, appends their wires to `found`, and returns an empty list. If it fails, it takes none and returns the
/// indices of the copies that found no path.
std::vector<size_t> find_late_copies(Fabric& fabric, const std::vector<LateCopy>& copies, std::vector<FabricWire>& found);

}  // namespace bitgrid::mapping
