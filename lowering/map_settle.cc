#include "lowering/map_settle.h"

#include <cmath>
#include <utility>

#include "ir/kernel_defects.h"
#include "lowering/arrays/wave.h"
#include "lowering/netlist/map_netlist.h"
#include "lowering/planes/plane.h"
#include "lowering/planes/two_way.h"

namespace bitgrid {
namespace {

int walk_steps(Effort effort) {
  return effort == Effort::kFast ? 20'000 : effort == Effort::kDefault ? 60'000 : 400'000;
}

/// Cells that a placed netlist of so many LUT4s hardly gets below (docs/performance.md): one a LUT4. Logic that is small as a table rather
/// has as many a LUT4 as the cube root of their number, unless a long time is spent on it.
double least_netlist_cells(size_t luts, bool table, Effort effort) {
  return std::pow(static_cast<double>(luts), table && effort != Effort::kDense ? 4.0 / 3 : 1);
}

std::optional<MappedKernel> two_way_of(const Dag& dag, const MapParams& params) {
  if (input_bits(dag) == 0 || input_bits(dag) > params.plane_inputs || output_bits(dag) == 0) return std::nullopt;
  EsopParams esop;
  esop.seed = params.seed;
  if (params.effort == Effort::kFast) {
    esop.orders = 6;
    esop.walks = 1;
  }
  const std::vector<BitVector> table = truth_table(dag, params.plane_inputs);
  PairedEsop best;
  TwoWayPlan plan;
  for (const bool products_apart : {true, false}) {
    PairedEsop paired = minimise_paired_esop(table, esop, walk_steps(params.effort), products_apart);
    TwoWayPlan other = plan_two_way(paired, params.seed);
    if (products_apart && other.direct.empty()) continue;  // the same again
    if (!plan.rows.empty() && plan.cells() <= other.cells()) continue;
    best = std::move(paired);
    plan = std::move(other);
    if (plan.direct.size() == output_bits(dag)) break;  // nothing is left to sum
  }
  return two_way_kernel(dag.name, best, plan);
}

}  // namespace

MappedKernel map_settle(const Kernel& kernel, const MapParams& params, KernelReport* report) {
  const Dag& dag = kernel.dag;
  std::optional<MappedKernel> best = map_regular(logic_graph(dag), params.defects);
  const bool table = !best;
  if (table) best = two_way_of(dag, params);
  if (best && first_defect_used(*best, params.defects)) best.reset();
  const auto cells = [](const MappedKernel& m) { return static_cast<double>(m.grid.cells.size()); };
  if (best && cells(*best) <= least_netlist_cells(netlist_size(dag).luts, table, params.effort)) return std::move(*best);
  NetlistParams netlist;
  netlist.seed = params.seed;
  netlist.effort = params.effort;
  netlist.defects = params.defects;
  NetlistStats stats;
  MappedKernel placed;
  try {
    placed = map_netlist(dag, netlist, &stats);
  } catch (...) {
    if (report) report->netlist = stats;
    throw;
  }
  if (best && cells(*best) <= cells(placed)) return std::move(*best);
  if (report) report->netlist = std::move(stats);
  return placed;
}

}  // namespace bitgrid
