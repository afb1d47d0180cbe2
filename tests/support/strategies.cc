#include "tests/support/strategies.h"

#include "lowering/mapping/map.h"
#include "lowering/mapping/planes/folded_plane.h"
#include "lowering/mapping/planes/time_shared_plane.h"
#include "lowering/mapping/strategy.h"

namespace bitgrid::test {
namespace {

constexpr uint32_t kPlaneInputs = 6;  // bits, above which planes take long to make

/// Little time for few terms.
synthesis::EsopParams quick() {
  synthesis::EsopParams esop;
  esop.orders = 6;
  esop.walks = 1;
  return esop;
}

MappedKernel two_way(const Dag& dag, bool apart) {
  const synthesis::PairedEsop esop = synthesis::minimise_paired_esop(mapping::truth_table(dag, kPlaneInputs), quick(), 100, apart);
  return mapping::folded_plane_kernel(dag.name, esop, mapping::plan_folded_plane(esop, 1));
}

mapping::MapParams limits() {
  mapping::MapParams params;
  params.effort = mapping::Effort::kFast;
  params.plane_inputs = kPlaneInputs;
  return params;
}

std::optional<MappedKernel> by(const mapping::Strategy& strategy, const Kernel& kernel) {
  const mapping::MapParams params = limits();
  const mapping::MappingProblem problem(kernel, params);
  mapping::Attempt attempt = strategy.map(problem, {}, nullptr);
  if (auto* mapped = std::get_if<MappedKernel>(&attempt)) return std::move(*mapped);
  return std::nullopt;
}

MappedKernel netlist_without_skew(const Kernel& kernel) {
  mapping::NetlistParams fast;
  fast.effort = mapping::Effort::kFast;
  fast.skew_inputs = false;
  return mapping::map_netlist(kernel.dag, fast);
}

std::vector<Way> all_ways() {
  std::vector<Way> all;
  for (const mapping::Strategy& s : mapping::strategies())
    if (s.kind != mapping::StrategyKind::kMatrix) all.push_back({s.name, [&s](const Kernel& k) { return by(s, k); }});
  all.push_back({"time-shared plane", [](const Kernel& k) {
                   return mapping::time_shared_plane(k.dag.name,
                                                     synthesis::minimise_esop(mapping::truth_table(k.dag, kPlaneInputs), quick()), {});
                 }});
  all.push_back({"folded plane, products apart", [](const Kernel& k) { return two_way(k.dag, true); }});
  all.push_back({"folded plane, products together", [](const Kernel& k) { return two_way(k.dag, false); }});
  all.push_back({"netlist without skew", netlist_without_skew});
  return all;
}

MappedKernel in_mode(const Kernel& kernel, mapping::MapMode mode) {
  mapping::MapParams params = limits();
  params.mode = mode;
  return mapping::map_kernel(kernel, params);
}

}  // namespace

const std::vector<Way>& ways() {
  static const std::vector<Way> all = all_ways();
  return all;
}

const std::vector<Way>& modes() {
  static const std::vector<Way> all = {
      {"auto", [](const Kernel& k) { return in_mode(k, mapping::MapMode::kAuto); }},
      {"wave", [](const Kernel& k) { return in_mode(k, mapping::MapMode::kWave); }},
      {"settle", [](const Kernel& k) { return in_mode(k, mapping::MapMode::kSettle); }},
  };
  return all;
}

}  // namespace bitgrid::test
