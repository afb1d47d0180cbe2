// From compact sites to sites with room for the wires around them.
#pragma once

#include <vector>

#include "lowering/netlist/annealer.h"
#include "lowering/netlist/router.h"

namespace bitgrid {

struct SpreadParams {
  double utilisation = 0.5;  // wanted: edges used of all
  double least_area = 4;     // grid cells for a site: one on every second column and row
  int ports = 0;             // that the border must have
  int iterations = 3;        // of negotiation, to see where wires go if they may go round
  EdgePrices prices;
};

/// Gives every site an area, and lays the sites out so that each has it: recursive bisection of the sites by area and of the region in the
/// same proportion, which keeps their order. The size of the region follows from the areas and the ports.
class Spreader {
 public:
  Spreader(int columns, int rows, const SpreadParams& params);

  /// The sites in the areas of now.
  Sites sites() const;

  /// Routes without regard to overuse, and gives more or less area to a site by what is used around it.
  void adapt(const PackedNetlist& netlist, const Sites& sites, const SitePlacement& placement);

 private:
  Region region() const;

  int columns_, rows_;
  SpreadParams params_;
  std::vector<double> area_;  // of sites, in grid cells
};

}  // namespace bitgrid
