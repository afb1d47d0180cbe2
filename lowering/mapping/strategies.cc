#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/dag.h"
#include "ir/error.h"
#include "ir/index.h"
#include "ir/kernel_defects.h"
#include "lowering/mapping/arrays/counter.h"
#include "lowering/mapping/arrays/multiplier.h"
#include "lowering/mapping/arrays/ripple.h"
#include "lowering/mapping/arrays/ripple_detour.h"
#include "lowering/mapping/arrays/wires.h"
#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/mapping/matrix/popcount_ii2.h"
#include "lowering/mapping/matrix/popcount_wave.h"
#include "lowering/mapping/matrix/sum_difference.h"
#include "lowering/mapping/planes/folded_plane.h"
#include "lowering/mapping/planes/time_shared_plane.h"
#include "lowering/mapping/rows/row_layout.h"
#include "lowering/mapping/strategy.h"
#include "lowering/mapping/streamed/streamed_pairs.h"
#include "lowering/synthesis/full_adders.h"

namespace bitgrid::mapping {
namespace {

using Problem = MappingProblem;

bool sound(const MappedKernel& kernel, const Problem& problem) {
  return !first_defect_used(kernel, problem.params.defects);
}

/// A layout that cannot go around anything.
Attempt rigid(MappedKernel kernel, const Problem& problem) {
  const auto used = first_defect_used(kernel, problem.params.defects);
  if (!used) return kernel;
  return Refusal{
      fmt::format("has a fixed layout of {} x {} cells, and output {} of cell ({}, {}) is bad", kernel.grid.width, kernel.grid.height,
                  letter(used->side), used->x, used->y),
      problem.kernel.form.part ? "lower the layer with these defects, so that its parts are word-serial" : "use a tile that is good there"};
}

Attempt or_refusal(std::optional<MappedKernel> kernel, Refusal refusal) {
  if (kernel) return std::move(*kernel);
  return refusal;
}

// ---- matrices

/// Of kernels that do not have the form of a matrix with resident weights.
Refusal no_matrix(const Problem& problem) {
  if (problem.kernel.form.streamed) return {"the kernel's weights stream", "use streamed-pairs"};
  return {"the kernel is not a matrix", "use a strategy for logic"};
}

std::optional<StrategySize> size_bit_serial(const Problem& problem) {
  if (!problem.kernel.form.serial) return std::nullopt;
  const BitSerialSize size = bit_serial_size(problem.words());
  return StrategySize{{size.cells(), size.ii}, size};
}

Attempt try_bit_serial(const Problem& problem, const Rival&, NetlistStats*) {
  if (!problem.kernel.form.serial) return no_matrix(problem);
  return map_bit_serial(problem.kernel.name, problem.words(), input_bits(problem.kernel.dag), problem.params.defects);
}

std::optional<StrategySize> size_sum_difference(const Problem& problem) {
  if (!problem.kernel.form.serial) return std::nullopt;
  const auto size = sum_difference_size(problem.words());
  if (!size) return std::nullopt;
  return StrategySize{{size->cells(), size->ii}, *size};
}

Attempt try_sum_difference(const Problem& problem, const Rival&, NetlistStats*) {
  if (!problem.kernel.form.serial) return no_matrix(problem);
  auto kernel = map_sum_difference(problem.kernel.name, problem.words(), input_bits(problem.kernel.dag));
  if (kernel) return rigid(std::move(*kernel), problem);
  return Refusal{"only takes weights of -1 and 1, words that use all their bits, and sums that leave unchanged or as a sign",
                 "use bit-serial"};
}

/// The form of a popcount if the kernel has it, or the part that is settled to be of this kind.
const PopcountForm* popcount_of(const Problem& problem, bool ii2) {
  const KernelForm& form = problem.kernel.form;
  return form.parallel && (!form.part || form.part->interleaved == ii2) ? &*form.parallel : nullptr;
}

Refusal no_popcount(const Problem& problem) {
  if (!problem.matrix() || problem.kernel.form.streamed || problem.kernel.form.product) return no_matrix(problem);
  if (problem.kernel.form.part) return {"the layer was cut into parts of the other popcount", "lower it with another --optimize"};
  return {"takes one-bit inputs, weights of -1, 0 and 1, and rows that end in a sign", "use bit-serial"};
}

std::optional<StrategySize> size_popcount_ii2(const Problem& problem) {
  const PopcountForm* form = popcount_of(problem, true);
  if (!form) return std::nullopt;
  return StrategySize{{popcount_ii2_size(*form).cells(), 2}};
}

Attempt try_popcount_ii2(const Problem& problem, const Rival&, NetlistStats*) {
  const PopcountForm* form = popcount_of(problem, true);
  if (!form) return no_popcount(problem);
  const auto& part = problem.kernel.form.part;
  return rigid(part ? map_popcount_ii2(problem.kernel.name, *form, part->inputs) : map_popcount_ii2(problem.kernel.name, *form), problem);
}

std::optional<StrategySize> size_popcount_wave(const Problem& problem) {
  const PopcountForm* form = popcount_of(problem, false);
  if (!form) return std::nullopt;
  return StrategySize{{popcount_wave_cells(*form), 1}};
}

Attempt try_popcount_wave(const Problem& problem, const Rival&, NetlistStats*) {
  const PopcountForm* form = popcount_of(problem, false);
  if (!form) return no_popcount(problem);
  const auto& part = problem.kernel.form.part;
  return rigid(part ? map_popcount_wave(problem.kernel.name, *form, part->inputs) : map_popcount_wave(problem.kernel.name, *form), problem);
}

// ---- matrices whose weights stream

std::optional<StrategySize> size_streamed_pairs(const Problem& problem) {
  if (!problem.kernel.form.streamed) return std::nullopt;
  const BitSerialSize size = streamed_pairs_size(*problem.kernel.form.streamed);
  return StrategySize{{size.cells(), size.ii}, size};
}

Attempt try_streamed_pairs(const Problem& problem, const Rival&, NetlistStats*) {
  if (!problem.kernel.form.streamed) return Refusal{"takes matrices whose weights stream", "use another --strategy"};
  return rigid(map_streamed_pairs(problem.kernel.name, *problem.kernel.form.streamed, input_bits(problem.kernel.dag)), problem);
}

// ---- logic that is just one function

Attempt try_wires(const Problem& problem, const Rival&, NetlistStats*) {
  return or_refusal(map_wires(problem.graph(), problem.params.defects),
                    {"some output is neither an input, nor its complement, nor constant", ""});
}

Attempt try_ripple(const Problem& problem, const Rival&, NetlistStats*) {
  std::optional<MappedKernel> ripple = map_ripple(problem.graph());
  if (!ripple) return Refusal{"the logic is not a ripple (adder, subtracter, comparator, wide gate, prefix gate)", ""};
  if (sound(*ripple, problem)) return std::move(*ripple);
  return or_refusal(ripple_detour(*ripple, problem.params.defects),
                    {"no row of cells avoids the bad ones", "use a tile with fewer defects"});
}

Attempt try_counter(const Problem& problem, const Rival&, NetlistStats*) {
  const synthesis::LogicGraph& graph = problem.graph();
  if (!is_counter(graph)) return Refusal{"the outputs are not the count of all inputs", ""};
  const auto inputs = id_of(graph.inputs.size()), outputs = id_of(graph.outputs.size());
  return or_refusal(counter_kernel(graph.name, inputs, outputs, problem.params.defects),
                    {"no array avoids the bad cells", "use a tile with fewer defects"});
}

std::optional<StrategySize> size_product(const Problem& problem) {
  if (!problem.kernel.form.product) return std::nullopt;
  return StrategySize{{product_cells(*problem.kernel.form.product), 1}};
}

Attempt try_product(const Problem& problem, const Rival&, NetlistStats*) {
  if (!problem.kernel.form.product) return Refusal{"takes kernels that are stated to be products", "use another --strategy"};
  return rigid(map_product(problem.kernel.name, *problem.kernel.form.product), problem);
}

Attempt try_multiplier(const Problem& problem, const Rival&, NetlistStats*) {
  const auto product = find_product(problem.graph());
  if (!product) return Refusal{"the outputs are not the product of two words", ""};
  return rigid(product_kernel(problem.kernel.dag.name, *product), problem);
}

// ---- any logic, II = 1

constexpr int64_t kMostRowCells = 1'000'000;

Attempt try_row_layout(const Problem& problem, const Rival& rival, NetlistStats*) {
  RowLayoutParams rows;
  rows.seed = problem.params.seed;
  rows.max_cells = std::min(rival.cells, kMostRowCells);
  rows.defects = problem.params.defects;
  return or_refusal(map_row_layout(synthesis::with_half_adders(problem.graph()), rows),
                    {fmt::format("as rows of free logic its {} gates take a cell for each value that waits in each row, more than {} cells",
                                 synthesis::gate_count(problem.graph()), rows.max_cells),
                     "use --mode settle"});
}

Refusal no_table(const Problem& problem) {
  return {fmt::format("takes tables of 1 to {} input bits (it has {})", problem.params.plane_inputs, input_bits(problem.kernel.dag)), ""};
}

// Random walks shrink a plane by about a third. One that starts three times too large does not get there.
constexpr int64_t kMostStart = 3;
constexpr uint32_t kSharedColumn = 4;  // outputs that may come to share a column

Attempt try_plane(const Problem& problem, const Rival& rival, NetlistStats*) {
  if (!problem.has_table()) return no_table(problem);
  const Dag& dag = problem.kernel.dag;
  synthesis::EsopParams params;
  params.seed = problem.params.seed;
  synthesis::EsopParams start = params;
  start.walks = 0;
  const int64_t width = input_bits(dag) + output_bits(dag) / kSharedColumn;
  const auto products = static_cast<int64_t>(synthesis::minimise_esop(problem.table(), start).cubes.size());
  if (rival.cells / kMostStart < INT64_MAX / kMostStart && width * products > kMostStart * rival.cells)
    return Refusal{fmt::format("its {} products in {} columns cannot shrink to {} cells", products, width, rival.cells), ""};
  const synthesis::Esop esop = synthesis::minimise_esop(problem.table(), params);
  TimeSharedPlaneParams columns;
  columns.seed = problem.params.seed;
  return or_refusal(time_shared_plane(dag.name, esop, problem.params.defects, columns),
                    {"no plane avoids the bad cells", "use a tile with fewer defects"});
}

// ---- any logic, settled

int walk_steps(Effort effort) {
  return effort == Effort::kFast ? 20'000 : effort == Effort::kDefault ? 60'000 : 400'000;
}

Attempt try_folded_plane(const Problem& problem, const Rival& rival, NetlistStats*) {
  if (!problem.has_table()) return no_table(problem);
  if (rival.exact) return Refusal{"an array for exactly this function is smaller", ""};
  synthesis::EsopParams esop;
  esop.seed = problem.params.seed;
  if (problem.params.effort == Effort::kFast) {
    esop.orders = 6;
    esop.walks = 1;
  }
  synthesis::PairedEsop best;
  FoldedPlanePlan plan;
  for (const bool products_apart : {true, false}) {
    synthesis::PairedEsop paired =
        synthesis::minimise_paired_esop(problem.table(), esop, walk_steps(problem.params.effort), products_apart);
    FoldedPlanePlan other = plan_folded_plane(paired, problem.params.seed);
    if (products_apart && other.direct.empty()) continue;  // the same again
    if (!plan.rows.empty() && plan.cells() <= other.cells()) continue;
    best = std::move(paired);
    plan = std::move(other);
    if (plan.direct.size() == output_bits(problem.kernel.dag)) break;  // nothing is left to sum
  }
  return rigid(folded_plane_kernel(problem.kernel.dag.name, best, plan), problem);
}

/// A lower bound, in practice, on the cells of a placed netlist (docs/performance.md): one per LUT4. Logic that is small as a table takes
/// as many per LUT4 as the cube root of their number, unless a long time is spent on it.
double least_netlist_cells(const Problem& problem, const Rival& rival) {
  const bool table = problem.has_table() && !rival.exact && problem.params.effort != Effort::kDense;
  return std::pow(static_cast<double>(problem.luts().luts), table ? 4.0 / 3 : 1);
}

Attempt try_netlist(const Problem& problem, const Rival& rival, NetlistStats* stats) {
  if (rival.cells != INT64_MAX && static_cast<double>(rival.cells) <= least_netlist_cells(problem, rival))
    return Refusal{fmt::format("its {} LUT4s take more than the {} cells of another strategy", problem.luts().luts, rival.cells), ""};
  NetlistParams netlist;
  netlist.seed = problem.params.seed;
  netlist.effort = problem.params.effort;
  netlist.defects = problem.params.defects;
  netlist.stop_point = problem.params.stop_point;
  NetlistStats local;
  NetlistStats& out = stats ? *stats : local;
  MappedKernel kernel;
  try {
    kernel = map_netlist(problem.network(), netlist, &out);
  } catch (...) {
    out.techmap = problem.techmap();
    throw;
  }
  out.techmap = problem.techmap();
  const auto used = first_defect_used(kernel, problem.params.defects);
  if (!used) return kernel;
  return Refusal{fmt::format("placed and routed on output {} of cell ({}, {}), which is bad", letter(used->side), used->x, used->y),
                 "try another --seed, or a tile that is good there"};
}

}  // namespace

const std::vector<Strategy>& strategies() {
  using Kind = StrategyKind;
  using Among = AmongDefects;
  static const std::vector<Strategy> table = {
      {"bit-serial", "matrices: multiply-accumulate cells, one bit of a word per cycle; II = word length", Kind::kMatrix, Among::kDetours,
       size_bit_serial, try_bit_serial},
      {"sum-difference", "matrices of -1 and 1: bit-serial on sums and differences of column pairs, three cells for two weights",
       Kind::kMatrix, Among::kRigid, size_sum_difference, try_sum_difference},
      {"popcount-wave", "one-bit matrices with thresholds: counts of all rows in one wave; II = 1", Kind::kMatrix, Among::kRigid,
       size_popcount_wave, try_popcount_wave},
      {"popcount-ii2", "the same with two outputs on the same rows in alternate cycles; II = 2", Kind::kMatrix, Among::kRigid,
       size_popcount_ii2, try_popcount_ii2},
      {"streamed-pairs", "rows of weights that stream past resident activations, two bits per column; II = 3", Kind::kMatrix, Among::kRigid,
       size_streamed_pairs, try_streamed_pairs},
      {"product", "products of two words, signed or not, that a lowering states as such: carry-ripple rows; II = 1", Kind::kMatrix,
       Among::kRigid, size_product, try_product},
      {"wires", "outputs that are inputs, their complements or constants: one row, two a cell; II = 1", Kind::kTrivial, Among::kDetours,
       nullptr, try_wires},
      {"ripple", "adders, comparators, wide and prefix gates: one row of cells; II = 1", Kind::kExact, Among::kDetours, nullptr,
       try_ripple},
      {"counter", "counts of ones: an array of half adders; II = 1", Kind::kExact, Among::kDetours, nullptr, try_counter},
      {"multiplier", "products of two words: carry-ripple rows; II = 1", Kind::kExact, Among::kRigid, nullptr, try_multiplier},
      {"row-layout", "any logic in rows in which everything moves east or south; II = 1", Kind::kWave, Among::kDetours, nullptr,
       try_row_layout},
      {"plane", "tables of few input bits: an AND/XOR plane, one cell per crosspoint; II = 1", Kind::kWave, Among::kDetours, nullptr,
       try_plane},
      {"folded-plane", "tables of few input bits: a plane with wires, products and sums in both directions; inputs held", Kind::kSettle,
       Among::kRigid, nullptr, try_folded_plane},
      {"netlist", "any logic: LUT4s packed, placed and routed; inputs held", Kind::kSettle, Among::kPlaces, nullptr, try_netlist},
  };
  return table;
}

const Strategy& find_strategy(const std::string& name, const std::vector<Strategy>& table) {
  std::string names;
  for (const Strategy& s : table) {
    if (s.name == name) return s;
    names += (names.empty() ? "" : ", ") + s.name;
  }
  throw Error("--strategy", "unknown strategy '" + name + "'", "choose one of " + names);
}

std::string list_strategies() {
  std::string text;
  for (const Strategy& s : strategies()) text += fmt::format("  {:16}{}\n", s.name, s.purpose);
  return text;
}

}  // namespace bitgrid::mapping
