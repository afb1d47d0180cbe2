#include "lowering/map.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>

#include "ir/error.h"
#include "ir/kernel_defects.h"
#include "ir/parallel.h"
#include "lowering/arrays/wave.h"
#include "lowering/arrays/wires.h"
#include "lowering/defects/avoid.h"
#include "lowering/dense_interleaved.h"
#include "lowering/idle_slots.h"
#include "lowering/map_settle.h"
#include "lowering/paired.h"

namespace bitgrid {

namespace {

MappedKernel map_flawless_matrix(const Kernel& kernel, const KernelForm& form, const SystolicForm& words, Optimize optimize) {
  std::optional<MappedKernel> paired = map_paired(kernel.name, words, input_bits(kernel.dag));
  MappedKernel serial = paired ? std::move(*paired) : map_systolic(kernel.name, words, input_bits(kernel.dag));
  if (!form.parallel) return serial;
  const int64_t by_words = cost(optimize, static_cast<int64_t>(serial.grid.cells.size()), serial.ii);
  const int64_t interleaved = cost(optimize, interleaved_size(*form.parallel).cells(), 2);
  const int64_t parallel = cost(optimize, dense_popcount_cells(*form.parallel), 1);
  if (by_words <= std::min(interleaved, parallel)) return serial;
  return parallel <= interleaved ? map_dense_popcount(kernel.name, *form.parallel) : map_interleaved_popcount(kernel.name, *form.parallel);
}

/// A part of a matrix whose form is settled.
MappedKernel map_flawless_part(const Kernel& kernel, const KernelForm& form) {
  return form.part->interleaved ? map_interleaved_popcount(kernel.name, *form.parallel, form.part->inputs)
                                : map_dense_popcount(kernel.name, *form.parallel, form.part->inputs);
}

MappedKernel map_matrix(const Kernel& kernel, const KernelForm& form, const MapParams& params) {
  const SystolicForm words = drop_idle_slots(*form.serial);
  MappedKernel flawless = map_flawless_matrix(kernel, form, words, params.optimize);
  return params.defects.empty() ? flawless : avoid_defects(flawless, words, params.defects);
}

WaveParams wave_params(const MapParams& params) {
  WaveParams wave;
  wave.seed = params.seed;
  wave.plane_inputs = params.plane_inputs;
  wave.defects = params.defects;
  return wave;
}

/// What the mapping of a kernel would be without defects; nothing for netlists, which are placed anew.
std::optional<KernelReport::Flawless> flawless_figures(const Kernel& kernel, const KernelForm& form, const MapParams& params,
                                                       const MappedKernel& around) {
  std::optional<MappedKernel> mapped;
  if (form.part) {
    mapped = map_flawless_part(kernel, form);
  } else if (form.serial) {
    mapped = map_flawless_matrix(kernel, form, drop_idle_slots(*form.serial), params.optimize);
  } else if (around.strategy == "wires") {
    mapped = map_wires(logic_graph(kernel.dag));
  } else if (around.strategy == "two-way") {
    mapped = around;  // these do not go around defects: they touch none
  } else if (around.strategy != "netlist") {
    MapParams flawless = params;
    flawless.defects = {};
    mapped = try_map_wave(kernel.dag, wave_params(flawless));
  }
  if (!mapped) return std::nullopt;
  return KernelReport::Flawless{static_cast<int64_t>(mapped->grid.cells.size()), mapped->ii, latency_cycles(*mapped)};
}

// Cells up to which `auto` takes wave mode. Settle mode takes 4 to 16 cells a LUT4, and an invocation every 20 cycles at the very least: up
// to twice its cells are well spent on II = 1.
int64_t auto_wave_cells(const Dag& dag, Optimize optimize) {
  const int64_t per_lut = optimize == Optimize::kThroughput ? 240 : 24;
  return per_lut * static_cast<int64_t>(std::max<size_t>(1, netlist_size(dag).luts));
}

}  // namespace

int64_t cost(Optimize optimize, int64_t cells, int ii) {
  return optimize == Optimize::kArea ? cells : optimize == Optimize::kThroughput ? ii : cells * ii;
}

Optimize parse_optimize(const std::string& text) {
  if (text == "area") return Optimize::kArea;
  if (text == "throughput") return Optimize::kThroughput;
  if (text == "density") return Optimize::kDensity;
  throw Error("--optimize", "'" + text + "' is no target", "choose area, throughput or density");
}

MapMode parse_mode(const std::string& text) {
  if (text == "auto") return MapMode::kAuto;
  if (text == "wave") return MapMode::kWave;
  if (text == "settle") return MapMode::kSettle;
  throw Error("--mode", "'" + text + "' is no mode", "choose auto, wave or settle");
}

Effort parse_effort(const std::string& text) {
  if (text == "fast") return Effort::kFast;
  if (text == "default") return Effort::kDefault;
  if (text == "dense") return Effort::kDense;
  throw Error("--effort", "'" + text + "' is no effort", "choose fast, default or dense");
}

namespace {

MappedKernel map_logic(const Kernel& kernel, const MapParams& params, KernelReport* report) {
  if (auto wires = map_wires(logic_graph(kernel.dag), params.defects)) return std::move(*wires);
  WaveParams wave = wave_params(params);
  if (params.mode == MapMode::kWave) return map_wave(kernel.dag, wave);
  if (params.mode == MapMode::kAuto) {
    wave.max_cells = auto_wave_cells(kernel.dag, params.optimize);
    auto mapped = try_map_wave(kernel.dag, wave);
    if (mapped && !first_defect_used(*mapped, params.defects)) return std::move(*mapped);
  }
  return map_settle(kernel, params, report);
}

}  // namespace

MappedKernel map_kernel(const Kernel& kernel, const KernelForm& form, const MapParams& params, KernelReport* report) {
  MappedKernel mapped = form.part     ? map_flawless_part(kernel, form)
                        : form.serial ? map_matrix(kernel, form, params)
                                      : map_logic(kernel, params, report);
  require_sound(mapped, params.defects);
  verify(mapped);  // whether or not it is simulated later
  if (report && !form.part && !form.serial)
    report->size = report->netlist ? NetlistSize{report->netlist->luts, report->netlist->depth} : netlist_size(kernel.dag);
  return mapped;
}

std::vector<MappedKernel> map_kernels(const Lowered& lowered, const MapParams& params, const MapRun& run) {
  const auto& kernels = lowered.program.kernels;
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
    mapped[k] = earlier ? std::move(*earlier) : map_kernel(kernels[k], lowered.forms[k], params, &reports[k]);
    if (!params.defects.empty()) reports[k].flawless = flawless_figures(kernels[k], lowered.forms[k], params, mapped[k]);
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
  std::map<int, int64_t> stages;  // the longest step of each
  for (const Step& step : program.steps) {
    const MappedKernel& kernel = mapped[static_cast<size_t>(step.kernel)];
    const int64_t length = latency_cycles(kernel) + int64_t{step.repeat - 1} * kernel.ii;
    stages[step.stage] = std::max(stages[step.stage], length);
    const Dag& dag = program.kernels[static_cast<size_t>(step.kernel)].dag;
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      // In the steady state a token overwrites one slot; a kernel that holds all slots of a channel is written every token, one that holds
      // some of the slots every now and then: on average slots / window.
      const auto* c = std::get_if<CacheSource>(&step.inputs[i]);
      if (!c || !dag.node(dag.inputs[i]).resident) continue;
      const int window = program.caches[static_cast<size_t>(c->cache)].window;
      cycles.resident_cells += static_cast<int64_t>(kernel.residents.size()) / window;
    }
  }
  for (const auto& [stage, length] : stages) cycles.kernels += length;
  cycles.configuration = (cycles.resident_cells * 64 + configuration_bits_per_cycle - 1) / configuration_bits_per_cycle;
  return cycles;
}

}  // namespace bitgrid
