#include "tests/support/strategies.h"

#include "lowering/arrays/full_adders.h"
#include "lowering/arrays/sweep.h"
#include "lowering/arrays/wave.h"
#include "lowering/map.h"
#include "lowering/planes/plane.h"
#include "lowering/planes/shared_plane.h"
#include "lowering/planes/two_way.h"

namespace bitgrid::test {
namespace {

constexpr uint32_t kPlaneInputs = 6;  // bits, above which planes take long to make

/// Little time for few terms.
EsopParams quick() {
  EsopParams esop;
  esop.orders = 6;
  esop.walks = 1;
  return esop;
}

MappedKernel two_way(const Dag& dag, bool apart) {
  const PairedEsop esop = minimise_paired_esop(truth_table(dag, kPlaneInputs), quick(), 100, apart);
  return two_way_kernel(dag.name, esop, plan_two_way(esop, 1));
}

MappedKernel netlist(const Dag& dag, bool skew) {
  NetlistParams fast;
  fast.effort = Effort::kFast;
  fast.skew_inputs = skew;
  return map_netlist(dag, fast);
}

MappedKernel in_mode(const Kernel& kernel, MapMode mode) {
  MapParams params;
  params.mode = mode;
  params.effort = Effort::kFast;
  params.plane_inputs = kPlaneInputs;
  return map_kernel(kernel, {}, params);
}

}  // namespace

const std::vector<Strategy>& strategies() {
  static const std::vector<Strategy> all = {
      {"regular", [](const Kernel& k) { return map_regular(logic_graph(k.dag)); }},
      {"sweep", [](const Kernel& k) { return map_sweep(with_half_adders(logic_graph(k.dag))); }},
      {"plane",
       [](const Kernel& k) {
         return map_plane(k.dag, {quick(), kPlaneInputs});
       }},
      {"shared plane",
       [](const Kernel& k) { return shared_plane(k.dag.name, minimise_esop(truth_table(k.dag, kPlaneInputs), quick()), {}); }},
      {"two-way", [](const Kernel& k) { return two_way(k.dag, false); }},
      {"two-way, products apart", [](const Kernel& k) { return two_way(k.dag, true); }},
      {"netlist", [](const Kernel& k) { return netlist(k.dag, true); }},
      {"netlist without skew", [](const Kernel& k) { return netlist(k.dag, false); }},
  };
  return all;
}

const std::vector<Strategy>& modes() {
  static const std::vector<Strategy> all = {
      {"auto", [](const Kernel& k) { return in_mode(k, MapMode::kAuto); }},
      {"wave", [](const Kernel& k) { return in_mode(k, MapMode::kWave); }},
      {"settle", [](const Kernel& k) { return in_mode(k, MapMode::kSettle); }},
  };
  return all;
}

}  // namespace bitgrid::test
