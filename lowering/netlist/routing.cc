#include "lowering/netlist/routing.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "lowering/netlist/repair.h"
#include "lowering/netlist/router.h"

namespace bitgrid {
namespace {

constexpr int kWholeNets = 6;  // iterations that reroute whole nets; later ones only the branches that are in trouble

void cut_overused(Router& router, uint32_t net) {
  std::vector<uint32_t> edges;
  for (const RouteHop& h : router.routes()[net].hops)
    if (router.is_overused(h.edge)) edges.push_back(h.edge);
  for (const uint32_t e : edges) router.cut_edge(net, e);
}

void negotiate(const PackedNetlist& netlist, Router& router, const RoutingParams& params, RoutingStats& stats) {
  double present = params.present_first;
  int fewest = std::numeric_limits<int>::max(), waited = 0;
  for (int i = 0; i < params.iterations && waited < params.patience; ++i) {
    router.set_present_price(present);
    for (uint32_t n = 0; n < netlist.nets.size(); ++n) {
      if (i > 0 && !router.overused(n)) continue;
      if (i < kWholeNets)
        router.rip_up(n);
      else
        cut_overused(router, n);
      router.route_net(n);
    }
    stats.overuse.push_back(router.overuse());
    if (router.overuse() == 0) return;
    waited = router.overuse() < fewest ? 0 : waited + 1;
    fewest = std::min(fewest, router.overuse());
    router.remember_overuse(params.history);
    present = std::min(present * params.present_growth, 100.0);
  }
}

}  // namespace

Routing route(const PackedNetlist& netlist, Placement& placement, const RoutingParams& params, RoutingStats* stats) {
  const auto begin = std::chrono::steady_clock::now();
  RoutingStats local;
  RoutingStats& out = stats ? *stats : local;
  out = {};
  Router router(netlist, placement);
  negotiate(netlist, router, params, out);
  if (router.overuse() > 0 && router.overuse() <= std::max(4.0, params.repair_limit * static_cast<double>(netlist.cells.size()))) {
    router.set_present_price(3);
    repair(netlist, placement, router, params, out);
  }
  out.overuse_left = router.overuse();
  out.wirelength = router.wirelength();
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return {router.routes(), router.overused_edges()};
}

}  // namespace bitgrid
