#include "lowering/mapping/netlist/negotiation.h"

#include <algorithm>
#include <limits>

namespace bitgrid::mapping {

int negotiate(const PackedNetlist& netlist, Router& router, NegotiationParams& params, std::vector<int>* overuse) {
  double& present = params.present_first;
  double fewest = std::numeric_limits<double>::max();
  int waited = 0;
  auto patient = [&] { return waited < (fewest > params.few ? params.patience : params.patience_end); };
  for (int i = 0; i < params.iterations && patient(); ++i) {
    pass(params.stop_point);
    router.set_present_price(present);
    for (uint32_t n = 0; n < netlist.nets.size(); ++n) {
      if (router.overused(n)) {
        if (i < params.whole_nets)
          router.rip_up(n);
        else
          router.cut_overused(n);
      } else if (router.connected(n)) {
        continue;
      }
      router.route_net(n);
    }
    if (overuse) overuse->push_back(router.overuse());
    if (router.overuse() == 0) return 0;
    waited = router.overuse() < fewest * (1 - params.gain) ? 0 : waited + 1;
    fewest = std::min<double>(fewest, router.overuse());
    router.remember_overuse(params.history);
    present = std::min(present * params.present_growth, params.present_most);
  }
  return router.overuse();
}

}  // namespace bitgrid::mapping
