#include "lowering/arrays/wave.h"

#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/kernel_defects.h"
#include "lowering/arrays/counter.h"
#include "lowering/arrays/full_adders.h"
#include "lowering/arrays/multiplier.h"
#include "lowering/arrays/ripple.h"
#include "lowering/arrays/ripple_around.h"
#include "lowering/netlist/techmap.h"
#include "lowering/planes/plane.h"
#include "lowering/planes/shared_plane.h"

namespace bitgrid {
namespace {

class Candidates {
 public:
  Candidates(const std::string& name, WaveStats* stats) : name_(name), stats_(stats) {}

  /// Runs `make`, and keeps what it returns if it is the smallest so far.
  template <typename F>
  bool consider(F make) {
    const auto begin = std::chrono::steady_clock::now();
    std::optional<MappedKernel> kernel = make();
    if (!kernel) return false;
    const auto made = static_cast<int64_t>(kernel->grid.cells.size());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (stats_) stats_->candidates.push_back({kernel->strategy, made, seconds});
    if (!best_ || made < cells(0)) best_ = std::move(kernel);
    best_->name = name_;
    return true;
  }
  std::optional<MappedKernel>& best() { return best_; }
  int64_t cells(int64_t if_none) const { return best_ ? static_cast<int64_t>(best_->grid.cells.size()) : if_none; }

 private:
  std::string name_;
  WaveStats* stats_;
  std::optional<MappedKernel> best_;
};

bool sound(const MappedKernel& kernel, const Defects& defects) {
  return !first_defect_used(kernel, defects);
}

std::optional<MappedKernel> ripple_of(const LogicGraph& graph, const Defects& defects) {
  std::optional<MappedKernel> ripple = map_ripple(graph);
  if (!ripple || sound(*ripple, defects)) return ripple;
  return ripple_around(*ripple, defects);
}

std::optional<MappedKernel> counter_of(const LogicGraph& graph, const Defects& defects) {
  if (!is_counter(graph)) return std::nullopt;
  const auto inputs = static_cast<uint32_t>(graph.inputs.size()), outputs = static_cast<uint32_t>(graph.outputs.size());
  MappedKernel counter = counter_kernel(graph.name, inputs, outputs);
  if (sound(counter, defects)) return counter;
  return counter_around(graph.name, inputs, outputs, defects);
}

std::optional<MappedKernel> multiplier_of(const LogicGraph& graph, const Defects& defects) {
  const auto product = find_product(graph);
  if (!product) return std::nullopt;
  MappedKernel kernel = product_kernel(graph.name, *product);
  if (!sound(kernel, defects)) return std::nullopt;
  return kernel;
}

/// For logic that has a wave form without defects.
[[noreturn]] void refuse_defects(const MappedKernel& plain, const WaveParams& params) {
  const Defects there = clip(params.defects, plain.grid.width, plain.grid.height);
  throw Error(
      "kernel " + plain.name,
      fmt::format("wave mode (II = 1) takes {} x {} cells ({}) at the tile's north-west corner, where {} cells and {} edges are bad, "
                  "and no layout of at most {} cells goes around them",
                  plain.grid.width, plain.grid.height, plain.strategy, there.cells.size(), there.edges.size(), params.max_cells),
      "use --mode settle, where cells can stand elsewhere, or a tile with fewer defects there");
}

[[noreturn]] void refuse(const LogicGraph& graph, const WaveParams& params) {
  TechmapStats stats;
  map_to_luts(graph, {}, &stats);
  const std::string table = graph.inputs.size() > params.plane_inputs
                                ? fmt::format("a table of at most {} input bits (it has {})", params.plane_inputs, graph.inputs.size())
                                : std::string("a small enough table");
  throw Error(
      "kernel " + graph.name,
      fmt::format("wave mode (II = 1) would take more than {} cells: the logic is no ripple (adder, comparator), count or product, for "
                  "which there are regular arrays, nor {}, and as rows of free logic its {} gates take a cell for each value that "
                  "waits in each row",
                  params.max_cells, table, gate_count(graph)),
      fmt::format("use --mode settle: {} LUT4s, about {} cells, an invocation every {} cycles or so", stats.luts,
                  estimated_settle_cells(stats.luts), 4 * stats.depth));
}

// Random walks shrink a plane by a third or so: one that starts out far too large is not worth the time.
constexpr int64_t kHopeless = 3;
constexpr uint32_t kSharedColumn = 4;  // outputs that may come to share a column

std::optional<MappedKernel> plane_of(const Dag& dag, const WaveParams& params, int64_t rival) {
  PlaneParams plane;
  plane.max_inputs = params.plane_inputs;
  plane.esop.seed = params.seed;
  const std::vector<BitVector> table = truth_table(dag, params.plane_inputs);
  EsopParams start = plane.esop;
  start.walks = 0;
  const int64_t width = input_bits(dag) + output_bits(dag) / kSharedColumn;
  if (width * static_cast<int64_t>(minimise_esop(table, start).cubes.size()) > kHopeless * rival) return std::nullopt;
  const Esop esop = minimise_esop(table, plane.esop);
  std::optional<MappedKernel> plain = plane_kernel(dag.name, esop);
  SharedPlaneParams columns;
  columns.seed = params.seed;
  std::optional<MappedKernel> shared = shared_plane(dag.name, esop, params.defects, columns);
  if (!sound(*plain, params.defects)) return shared;
  return shared && shared->grid.cells.size() < plain->grid.cells.size() ? shared : plain;
}

}  // namespace

std::optional<MappedKernel> map_regular(const LogicGraph& graph, const Defects& defects) {
  std::optional<MappedKernel> kernel = ripple_of(graph, defects);
  if (!kernel) kernel = counter_of(graph, defects);
  if (!kernel) kernel = multiplier_of(graph, defects);
  return kernel;
}

std::optional<MappedKernel> try_map_wave(const Dag& dag, const WaveParams& params, WaveStats* stats) {
  if (output_bits(dag) == 0) throw Error("kernel " + dag.name, "it has no outputs", "add an output");
  const LogicGraph graph = logic_graph(dag);
  Candidates candidates(dag.name, stats);
  if (!candidates.consider([&] { return map_regular(graph, params.defects); })) {
    SweepParams sweep;
    sweep.seed = params.seed;
    sweep.max_cells = params.max_cells;
    sweep.defects = params.defects;
    candidates.consider([&] { return map_sweep(with_half_adders(graph), sweep); });
    if (input_bits(dag) <= params.plane_inputs)
      candidates.consider([&] { return plane_of(dag, params, candidates.cells(params.max_cells)); });
  }
  if (candidates.cells(params.max_cells + 1) > params.max_cells) return std::nullopt;
  return std::move(candidates.best());
}

MappedKernel map_wave(const Dag& dag, const WaveParams& params, WaveStats* stats) {
  std::optional<MappedKernel> kernel = try_map_wave(dag, params, stats);
  if (!kernel && !params.defects.empty()) {
    WaveParams flawless = params;
    flawless.defects = {};
    if (const auto plain = try_map_wave(dag, flawless)) refuse_defects(*plain, params);
  }
  if (!kernel) refuse(logic_graph(dag), params);
  return std::move(*kernel);
}

}  // namespace bitgrid
