#include "lowering/netlist/densify.h"

#include <optional>
#include <utility>

#include "lowering/netlist/live_anneal.h"

namespace bitgrid {

void densify(PackedNetlist& netlist, NetlistLayout& layout, const NetlistParams& params, NetlistStats& stats) {
  LiveAnnealParams live;
  live.seed = params.seed;
  live.cells = layout.placement.region.cells();
  if (params.live_work > 0) live.work = params.live_work;
  LiveAnnealStats s;
  std::optional<PackedLayout> result = live_anneal(netlist, params.defects, live, &s);
  stats.route_seconds += s.seconds;
  if (!result || result->layout.placement.region.cells() >= layout.placement.region.cells()) return;
  netlist = std::move(result->netlist);
  layout = std::move(result->layout);
  const Region& r = layout.placement.region;
  stats.attempts.push_back({"live", s.first.width, s.first.height, r.width, r.height, {}, 0, s.wirelength, 0, s.seconds});
  stats.wirelength = s.wirelength;
  stats.edge_users.assign(r.edges(), 0);
  for (const NetRoute& route : layout.routes)
    for (const RouteHop& h : route.hops) ++stats.edge_users[h.edge];
}

}  // namespace bitgrid
