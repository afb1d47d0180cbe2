#include "lowering/mapping/map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <utility>

#include "ir/error.h"
#include "ir/index.h"
#include "ir/kernel_defects.h"
#include "ir/parallel.h"

namespace bitgrid::mapping {

namespace {

/// Runs a strategy and notes in the report what became of it.
Attempt attempt(const Strategy& strategy, const MappingProblem& problem, const Rival& rival, KernelReport* report,
                NetlistStats* netlist = nullptr) {
  const auto begin = std::chrono::steady_clock::now();
  Attempt result = strategy.map(problem, rival, netlist);
  if (auto* kernel = std::get_if<MappedKernel>(&result)) {
    kernel->name = problem.kernel.name;
    assert(kernel->strategy == strategy.name);
  }
  if (report) {
    KernelReport::Candidate candidate{strategy.name, std::nullopt, {}, 0};
    if (const auto* kernel = std::get_if<MappedKernel>(&result))
      candidate.cells = cells_of(*kernel);
    else
      candidate.refusal = std::get<Refusal>(result).why;
    candidate.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    report->candidates.push_back(std::move(candidate));
  }
  return result;
}

[[noreturn]] void refuse(const MappingProblem& problem, const std::string& strategy, const Refusal& refusal) {
  throw Error("kernel " + problem.kernel.name, "strategy " + strategy + ": " + refusal.why,
              refusal.cure.empty() ? "choose another --strategy, or leave it out" : refusal.cure);
}

const std::vector<Strategy>& table_of(const MapParams& params) {
  return params.table ? *params.table : strategies();
}

bool for_matrices(const Strategy& strategy) {
  return strategy.kind == StrategyKind::kMatrix;
}

/// The strategy that --strategy asks for, if it is for kernels of this kind.
const Strategy* forced(const MappingProblem& problem) {
  if (problem.params.strategy.empty()) return nullptr;
  const Strategy& strategy = find_strategy(problem.params.strategy, table_of(problem.params));
  return for_matrices(strategy) == problem.matrix() ? &strategy : nullptr;
}

MappedKernel map_by(const Strategy& strategy, const MappingProblem& problem, KernelReport* report) {
  NetlistStats netlist;
  const auto keep = [&] {
    if (report && netlist.luts > 0) report->netlist = std::move(netlist);
  };
  try {
    Attempt result = attempt(strategy, problem, {}, report, &netlist);
    if (const auto* refusal = std::get_if<Refusal>(&result)) refuse(problem, strategy.name, *refusal);
    keep();
    return std::get<MappedKernel>(std::move(result));
  } catch (...) {
    keep();
    throw;
  }
}

MappedKernel map_matrix(const MappingProblem& problem, KernelReport* report) {
  Refusal first;
  for (const MatrixChoice& choice : matrix_choices(problem)) {
    Attempt result = attempt(*choice.strategy, problem, {}, report);
    if (auto* kernel = std::get_if<MappedKernel>(&result)) return std::move(*kernel);
    if (first.why.empty()) first = {choice.strategy->name + " " + std::get<Refusal>(result).why, std::get<Refusal>(result).cure};
  }
  throw Error("kernel " + problem.kernel.name, first.why.empty() ? "no strategy can map it" : "strategy " + first.why, first.cure);
}

/// The smallest mapping by strategies of a kind, and by those for exact functions. In wave mode an exact one ends the search.
class Search {
 public:
  Search(const MappingProblem& problem, KernelReport* report) : problem_(problem), report_(report) {}

  /// Of at most `most` cells, by strategies for any logic of that kind.
  std::optional<MappedKernel> run(StrategyKind any, int64_t most) {
    std::optional<MappedKernel> best;
    Rival rival{most, false};
    for (const Strategy& s : table_of(problem_.params)) {
      const bool trivial = s.kind == StrategyKind::kTrivial, is_exact = trivial || s.kind == StrategyKind::kExact;
      if ((!is_exact && s.kind != any) || (is_exact && rival.exact)) continue;
      Attempt result = is_exact ? exact(s) : attempt(s, problem_, rival, report_, &netlist_);
      auto* kernel = std::get_if<MappedKernel>(&result);
      if (!kernel) last_refusal_ = {s.name, std::get<Refusal>(result)};
      if (!kernel || (!is_exact && cells_of(*kernel) >= rival.cells)) continue;
      placed_ = s.among_defects == AmongDefects::kPlaces;
      rival = {cells_of(*kernel), is_exact};
      best = std::move(*kernel);
      if (trivial || (is_exact && any == StrategyKind::kWave)) break;
    }
    return best;
  }

  /// What the netlist mapper says of itself, if its result was taken or it failed.
  const NetlistStats& netlist() const { return netlist_; }
  bool placed() const { return placed_; }
  /// Strategy and reason of the last one that did not take the kernel.
  const std::pair<std::string, Refusal>& last_refusal() const { return last_refusal_; }

 private:
  /// Exact functions are looked for once, whatever the modes that are tried.
  Attempt exact(const Strategy& s) {
    const auto found = exact_.find(&s);
    if (found != exact_.end()) return found->second;
    return exact_.emplace(&s, attempt(s, problem_, {}, report_)).first->second;
  }

  const MappingProblem& problem_;
  KernelReport* report_;
  NetlistStats netlist_;
  bool placed_ = false;
  std::pair<std::string, Refusal> last_refusal_;
  std::map<const Strategy*, Attempt> exact_;
};

constexpr int64_t kMostWaveCells = 1'000'000;

// Cells up to which `auto` takes wave mode. Settle mode takes 4 to 16 cells per LUT4, and an invocation every 20 cycles at the very least:
// up to twice its cells are well spent on II = 1.
int64_t auto_wave_cells(const MappingProblem& problem) {
  const int64_t per_lut = problem.params.optimize == Optimize::kThroughput ? 240 : 24;
  return per_lut * static_cast<int64_t>(std::max<size_t>(1, problem.luts().luts));
}

/// For logic that has a wave form without defects.
void refuse_defects(const MappingProblem& problem) {
  MapParams params = problem.params;
  params.defects = {};
  const MappingProblem flawless(problem.kernel, params);
  const auto plain = Search(flawless, nullptr).run(StrategyKind::kWave, kMostWaveCells);
  if (!plain) return;
  const Defects there = clip(problem.params.defects, plain->grid.width, plain->grid.height);
  throw Error(
      "kernel " + problem.kernel.name,
      fmt::format("wave mode (II = 1) takes {} x {} cells ({}) at the tile's north-west corner, where {} cells and {} edges are bad, "
                  "and no layout of at most {} cells avoids them",
                  plain->grid.width, plain->grid.height, plain->strategy, there.cells.size(), there.edges.size(), kMostWaveCells),
      "use --mode settle, which can place cells elsewhere, or a tile with fewer defects there");
}

[[noreturn]] void refuse_wave(const MappingProblem& problem) {
  if (!problem.params.defects.empty()) refuse_defects(problem);
  const std::string table = problem.has_table() ? std::string("a small enough table")
                                                : fmt::format("a table of at most {} input bits (it has {})", problem.params.plane_inputs,
                                                              input_bits(problem.kernel.dag));
  const auto luts = static_cast<int64_t>(problem.techmap().luts);
  throw Error(
      "kernel " + problem.kernel.name,
      fmt::format("wave mode (II = 1) would take more than {} cells: the logic is not a ripple (adder, comparator), count or product, for "
                  "which there are regular arrays, nor {}, and as rows of free logic its {} gates take one cell for each value that "
                  "waits in each row",
                  kMostWaveCells, table, synthesis::gate_count(problem.graph())),
      fmt::format("use --mode settle: {} LUT4s, about {} cells, an invocation every {} cycles or so", luts, kSettleCellsPerLut * luts,
                  4 * problem.techmap().depth));
}

MappedKernel map_logic(const MappingProblem& problem, KernelReport* report) {
  if (output_bits(problem.kernel.dag) == 0) throw Error("kernel " + problem.kernel.name, "it has no outputs", "add an output");
  const MapMode mode = problem.params.mode;
  Search search(problem, report);
  if (mode == MapMode::kWave) {
    if (auto mapped = search.run(StrategyKind::kWave, kMostWaveCells)) return std::move(*mapped);
    refuse_wave(problem);
  }
  if (mode == MapMode::kAuto) {
    if (auto mapped = search.run(StrategyKind::kWave, auto_wave_cells(problem))) return std::move(*mapped);
  }
  try {
    auto mapped = search.run(StrategyKind::kSettle, INT64_MAX);
    if (report && search.placed()) report->netlist = search.netlist();
    if (mapped) return std::move(*mapped);
  } catch (...) {
    if (report) report->netlist = search.netlist();
    throw;
  }
  refuse(problem, search.last_refusal().first, search.last_refusal().second);
}

/// What the mapping of a kernel would be without defects; nothing for what is placed where the fabric is good.
std::optional<KernelReport::Flawless> flawless_figures(const Kernel& kernel, const MapParams& params, const MappedKernel& around) {
  MapParams without = params;
  without.defects = {};
  const MappingProblem problem(kernel, without);
  const Strategy& strategy = find_strategy(around.strategy, table_of(params));
  std::optional<MappedKernel> mapped;
  if (problem.matrix()) {
    mapped = forced(problem) ? map_by(*forced(problem), problem, nullptr) : map_matrix(problem, nullptr);
  } else if (strategy.kind == StrategyKind::kSettle) {
    if (strategy.among_defects == AmongDefects::kRigid) mapped = around;  // it relies on no defect as it is
  } else {
    mapped = Search(problem, nullptr).run(StrategyKind::kWave, kMostWaveCells);
  }
  if (!mapped) return std::nullopt;
  return KernelReport::Flawless{cells_of(*mapped), mapped->ii, latency_cycles(*mapped)};
}

}  // namespace

std::vector<MatrixChoice> matrix_choices(const MappingProblem& problem) {
  std::vector<MatrixChoice> choices;
  for (const Strategy& s : table_of(problem.params)) {
    if (!for_matrices(s) || !s.size) continue;
    if (const auto size = s.size(problem)) choices.push_back({&s, *size});
  }
  const auto less = [&](const MatrixChoice& a, const MatrixChoice& b) {
    return cheaper(problem.params.optimize, a.size.form, b.size.form);
  };
  std::stable_sort(choices.begin(), choices.end(), less);
  return choices;
}

MapMode parse_mode(const std::string& text) {
  if (text == "auto") return MapMode::kAuto;
  if (text == "wave") return MapMode::kWave;
  if (text == "settle") return MapMode::kSettle;
  throw Error("--mode", "'" + text + "' is not a mode", "choose auto, wave or settle");
}

Effort parse_effort(const std::string& text) {
  if (text == "fast") return Effort::kFast;
  if (text == "default") return Effort::kDefault;
  if (text == "dense") return Effort::kDense;
  throw Error("--effort", "'" + text + "' is not an effort", "choose fast, default or dense");
}

MappedKernel map_kernel(const Kernel& kernel, const MapParams& params, KernelReport* report) {
  const MappingProblem problem(kernel, params);
  const Strategy* strategy = forced(problem);
  MappedKernel mapped = strategy           ? map_by(*strategy, problem, report)
                        : problem.matrix() ? map_matrix(problem, report)
                                           : map_logic(problem, report);
  verify(mapped);  // whether or not it is simulated later
  if (const auto used = first_defect_used(mapped, params.defects))
    throw Error("kernel " + kernel.name,
                fmt::format("strategy {} relies on output {} of cell ({}, {}), which is bad", mapped.strategy, letter(used->side), used->x,
                            used->y),
                "choose another --strategy");
  if (report && !problem.matrix())
    report->size = report->netlist ? NetlistSize{report->netlist->luts, report->netlist->depth} : problem.luts();
  return mapped;
}

std::vector<MappedKernel> map_kernels(const Program& program, const MapParams& params, const MapRun& run) {
  const auto& kernels = program.kernels;
  std::vector<MappedKernel> mapped(kernels.size());
  std::vector<KernelReport> reports(kernels.size());
  std::mutex progress;
  const auto map_one = [&](size_t k) {
    if (run.progress) {
      const std::lock_guard lock(progress);
      run.progress(k, kernels.size(), kernels[k].name);
    }
    const auto begin = std::chrono::steady_clock::now();
    std::optional<MappedKernel> earlier;
    if (run.reuse) earlier = run.reuse(k);
    reports[k].reused = earlier.has_value();
    mapped[k] = earlier ? std::move(*earlier) : map_kernel(kernels[k], params, &reports[k]);
    if (!params.defects.empty()) reports[k].flawless = flawless_figures(kernels[k], params, mapped[k]);
    reports[k].seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  std::exception_ptr error;
  try {
    parallel_for(kernels.size(), run.threads, map_one);
  } catch (...) {
    error = std::current_exception();
  }
  if (run.reports) *run.reports = std::move(reports);
  if (error) std::rethrow_exception(error);
  return mapped;
}

void require_fit(const std::vector<MappedKernel>& mapped, const Tile& tile) {
  for (const MappedKernel& m : mapped) {
    if ((tile.width == 0 || m.grid.width <= tile.width) && (tile.height == 0 || m.grid.height <= tile.height)) continue;
    throw Error("kernel " + m.name,
                fmt::format("{} x {} cells do not fit a tile of {} x {}, and this kernel is not cut", m.grid.width, m.grid.height,
                            tile.width ? std::to_string(tile.width) : "any", tile.height ? std::to_string(tile.height) : "any"),
                "give a larger tile in the architecture file");
  }
}

TokenCycles cycles_per_token(const Program& program, const std::vector<MappedKernel>& mapped, int configuration_bits_per_cycle) {
  TokenCycles cycles;
  std::map<int, int64_t> stages;                       // the longest of what runs in each
  std::map<std::pair<int, int>, int64_t> invocations;  // of a stage on a kernel's tile, one after another
  for (const Step& step : program.steps) {
    const MappedKernel& kernel = mapped[index_of(step.kernel)];
    int64_t on_tile = step.repeat;
    if (!keeps_tile(program, step)) on_tile = invocations[{step.stage, step.kernel}] += step.repeat;
    stages[step.stage] = std::max(stages[step.stage], latency_cycles(kernel) + (on_tile - 1) * kernel.ii);
    const Dag& dag = program.kernels[index_of(step.kernel)].dag;
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      // In the steady state a token overwrites one slot; a kernel that holds all slots of a channel is written every token, one that holds
      // some of the slots every now and then: on average slots / window.
      const auto* c = std::get_if<CacheSource>(&step.inputs[i]);
      if (!c || !dag.node(dag.inputs[i]).resident) continue;
      const int window = program.caches[index_of(c->cache)].window;
      cycles.resident_cells += std::ssize(kernel.residents) / window;
    }
  }
  for (const auto& [stage, length] : stages) cycles.kernels += length;
  cycles.configuration = (cycles.resident_cells * 64 + configuration_bits_per_cycle - 1) / configuration_bits_per_cycle;
  return cycles;
}

}  // namespace bitgrid::mapping
