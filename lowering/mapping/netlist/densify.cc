#include "lowering/mapping/netlist/densify.h"

#include <optional>
#include <utility>

#include "lowering/mapping/netlist/co_anneal.h"

namespace bitgrid::mapping {
namespace {

// Of the region that closed before. A smaller start costs less time than the lines that go out later; the second is for circuits that it
// is too small for.
constexpr double kFirstArea[] = {0.75, 0.95};

}  // namespace

void densify(PackedNetlist& netlist, NetlistLayout& layout, const NetlistParams& params, NetlistStats& stats) {
  LiveAnnealParams live;
  live.seed = params.seed;
  live.stop_point = params.stop_point;
  if (params.live_work > 0) live.work = params.live_work;
  std::optional<PackedLayout> result;
  LiveAnnealStats s;
  for (const double part : kFirstArea) {
    live.cells = part * layout.placement.region.cells();
    s = {};
    result = live_anneal(netlist, params.defects, live, &s);
    stats.route_seconds += s.seconds;
    if (result) break;
  }
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

}  // namespace bitgrid::mapping
