#include "engines/engines.h"

#include <fmt/format.h>

#include <map>
#include <sstream>

#include "bitgrid_sim/kernel_simulator.h"
#include "engines/kernel_runner.h"
#include "ir/dag.h"
#include "ir/error.h"
#include "rtl/datapath.h"
#include "rtl/fabric_kernel.h"

namespace bitgrid::engines {
namespace {

/// Simulators of a program's steps, made when first used.
template <typename Simulator>
struct Tiles {
  const Program& program;
  std::vector<MappedKernel> mapped;
  std::function<std::unique_ptr<Simulator>(const MappedKernel&, size_t kernel)> make;
  std::map<std::pair<int, int>, std::unique_ptr<Simulator>> tiles;  // (kernel, step or -1)

  Simulator& tile(int step) {
    const int kernel = program.steps[static_cast<size_t>(step)].kernel;
    const MappedKernel& mk = mapped[static_cast<size_t>(kernel)];
    auto& slot = tiles[{kernel, mk.residents.empty() ? -1 : step}];
    if (!slot) slot = make(mk, static_cast<size_t>(kernel));
    return *slot;
  }
};

/// The evaluator of the Dags.
KernelEngine dag_engine(const EngineInputs& inputs) {
  return {[&program = inputs.program](int step, const BitMatrix& batch) {
            return evaluate(program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag, batch);
          },
          [] { return EngineStats{}; }};
}

/// The grid simulator on the mapped kernels: a tile of its own for every step whose kernel holds resident bits, one for each other kernel.
KernelEngine grid_engine(const EngineInputs& inputs) {
  sim::KernelSimulatorParams params;
  params.latch_seed = inputs.latch_seed;
  const auto make = [params](const MappedKernel& kernel, size_t) { return std::make_unique<sim::KernelSimulator>(kernel, params); };
  auto tiles = std::make_shared<Tiles<sim::KernelSimulator>>(Tiles<sim::KernelSimulator>{inputs.program, inputs.mapped(), make, {}});
  return {[tiles](int step, const BitMatrix& batch) { return tiles->tile(step).run(batch); },
          [tiles] {
            EngineStats sum;
            for (const auto& [key, tile] : tiles->tiles) {
              sum.cycles += tile->stats().cycles();
              sum.cell_updates += tile->stats().cell_updates();
              sum.reconfigured_cells += tile->stats().reconfigured_cells;
            }
            return sum;
          }};
}

/// Verilated datapath modules, one for each kernel.
KernelEngine rtl_engine(const EngineInputs& inputs) {
  const auto shared = std::make_shared<std::vector<std::shared_ptr<rtl::RtlModel>>>(rtl::build_rtl(inputs.verilog(), inputs.rtl));
  const auto stats = std::make_shared<rtl::RtlRunStats>();
  return {[&program = inputs.program, shared, stats](int step, const BitMatrix& batch) {
            return (*shared)[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)]->run(batch, stats.get());
          },
          [stats] {
            return EngineStats{stats->clocks, 0, 0, 0};
          }};
}

/// The fabric that each kernel needs, as sources for build_rtl, which builds equal ones once.
std::vector<rtl::RtlSource> fabric_sources(const std::vector<MappedKernel>& mapped) {
  std::vector<rtl::RtlSource> sources;
  for (const MappedKernel& kernel : mapped) sources.push_back(rtl::fabric_source(rtl::fabric_shape(kernel)));
  return sources;
}

/// Verilated fabrics of the kernels' sizes, with tiles as grid_engine has them.
KernelEngine fabric_engine(const EngineInputs& inputs) {
  std::vector<MappedKernel> mapped = inputs.mapped();
  auto models = rtl::build_rtl(fabric_sources(mapped), inputs.rtl);
  const auto make = [models = std::move(models)](const MappedKernel& kernel, size_t k) {
    return std::make_unique<rtl::FabricKernel>(kernel, models[k]);
  };
  auto tiles = std::make_shared<Tiles<rtl::FabricKernel>>(Tiles<rtl::FabricKernel>{inputs.program, std::move(mapped), make, {}});
  return {[tiles](int step, const BitMatrix& batch) { return tiles->tile(step).run(batch); },
          [tiles] {
            EngineStats sum;
            for (const auto& [key, tile] : tiles->tiles) {
              const uint64_t phases = tile->fabric_stats().phases;
              sum.cycles += (phases + 1) / 2;
              sum.cell_updates += phases * tiles->mapped[static_cast<size_t>(key.first)].grid.cells.size() / 2;
              sum.reconfigured_cells += tile->stats().reconfigured_cells;
              sum.configuration_clocks += tile->fabric_stats().configuration_clocks;
            }
            return sum;
          }};
}

/// The CPU engine's packed kernels.
TokenRunner cpu_engine(const Model& model) {
  const auto engine = std::make_shared<cpu::CpuEngine>(model);
  const auto state = std::make_shared<cpu::CpuState>(engine->start());
  return [engine, state](int token, cpu::Trace* trace) { return engine->step(*state, token, trace); };
}

/// A model with scales, lowered to kernels.
template <KernelEngine (*make)(const EngineInputs&)>
ScaledRunner scaled_on(ScaledSource& source, const ScaledRunParams& params) {
  return kernel_runner(make, source, params);
}

}  // namespace

const std::vector<Engine>& engines() {
  static const std::vector<Engine> table = {
      {"cpu", "packed kernels of the reference CPU engine", "", "", false, false, nullptr, cpu_engine, integer_runner},
      {"float", "models with scales in floating point, as their makers state them: a yardstick", "", "", false, false, nullptr, nullptr,
       float_runner},
      {"dag", "the evaluator of the kernels' Dags", "", "", false, false, dag_engine, nullptr, scaled_on<dag_engine>},
      {"grid", "the mapped kernels on simulated grids", "", "", true, false, grid_engine, nullptr, scaled_on<grid_engine>},
      {"rtl", "the kernels' datapath Verilog under Verilator", "datapath", "fabric", false, false, rtl_engine, nullptr,
       scaled_on<rtl_engine>},
      {"fabric", "the fabric's Verilog, configured with the mapped kernels, under Verilator", "", "", true, false, fabric_engine, nullptr,
       scaled_on<fabric_engine>},
      {"systemc", "the mapped kernels on tiles among memories and buses", "", "", true, true, nullptr, nullptr},
  };
  return table;
}

const Engine& find_engine(const std::string& name) {
  for (const Engine& engine : engines())
    if (name == engine.name || (!name.empty() && name == engine.other_name)) return engine;
  throw Error("--engine", "unknown engine '" + name + "'", "choose one of " + engine_names());
}

std::vector<const Engine*> find_engines(const std::string& list) {
  std::vector<const Engine*> found;
  std::stringstream items(list);
  for (std::string item; std::getline(items, item, ',');) {
    const Engine& engine = find_engine(item);
    found.push_back(&engine);
    if (!engine.with.empty() && item == engine.name) found.push_back(&find_engine(engine.with));
  }
  if (found.empty()) throw Error("--engines", "the list is empty", "choose from " + engine_names());
  return found;
}

std::string engine_names() {
  std::string names;
  for (const Engine& engine : engines()) {
    names += (names.empty() ? "" : ", ") + engine.name;
    if (!engine.other_name.empty()) names += ", " + engine.other_name;
  }
  return names;
}

std::string scaled_engine_names() {
  std::string names;
  for (const Engine& engine : engines())
    if (engine.of_scaled) names += (names.empty() ? "" : ", ") + engine.name;
  return names;
}

std::string list_engines() {
  std::string text;
  for (const Engine& engine : engines()) text += fmt::format("  {:16}{}\n", engine.name, engine.purpose);
  return text;
}

std::vector<rtl::RtlSource> verilog_sources(const Program& program) {
  std::vector<rtl::RtlSource> sources;
  for (const Kernel& kernel : program.kernels) sources.push_back(rtl::make_rtl_source(kernel.name, rtl::datapath_verilog(kernel.dag)));
  return sources;
}

}  // namespace bitgrid::engines
