#include "engines/engines.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "bitgrid_sim/kernel_simulator.h"
#include "engines/kernel_runner.h"
#include "engines/network_kernel_runner.h"
#include "engines/streams.h"
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
    const Step& s = program.steps[static_cast<size_t>(step)];
    auto& slot = tiles[{s.kernel, keeps_tile(program, s) ? step : -1}];
    if (!slot) slot = make(mapped[static_cast<size_t>(s.kernel)], static_cast<size_t>(s.kernel));
    return *slot;
  }
  const Dag& dag(int step) const { return program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag; }
};

/// The evaluator of the Dags.
KernelEngine dag_engine(const EngineInputs& inputs) {
  return {[&program = inputs.program](int step, const StepBatch& batch) {
            return evaluate(program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag, batch);
          },
          [] { return EngineStats{}; }};
}

/// Whether a kernel has resident inputs that are written for every use.
bool shares_tile(const Program& program, size_t kernel) {
  const Dag& dag = program.kernels[kernel].dag;
  if (std::none_of(dag.inputs.begin(), dag.inputs.end(), [&](NodeId id) { return dag.node(id).resident; })) return false;
  return std::none_of(program.steps.begin(), program.steps.end(),
                      [&](const Step& s) { return static_cast<size_t>(s.kernel) == kernel && keeps_tile(program, s); });
}

/// Resident numbers are written once for each position.
BitMatrix run_by_position(sim::KernelSimulator& tile, const StepBatch& batch) {
  BitMatrix all;
  const size_t positions = batch.residents.rows, repeat = batch.inputs.rows / positions;
  for (size_t n = 0; n < positions; ++n) {
    BitVector residents(static_cast<uint32_t>(batch.residents.cols));
    std::copy_n(batch.residents.words.begin() + static_cast<std::ptrdiff_t>(n * batch.residents.stride), batch.residents.stride,
                residents.words.begin());
    tile.set_residents(residents);
    BitMatrix part(repeat, batch.inputs.cols);
    std::copy_n(batch.inputs.words.begin() + static_cast<std::ptrdiff_t>(n * repeat * batch.inputs.stride), part.words.size(),
                part.words.begin());
    const BitMatrix outputs = tile.run(part);
    if (n == 0) all = BitMatrix(batch.inputs.rows, outputs.cols);
    std::copy(outputs.words.begin(), outputs.words.end(), all.words.begin() + static_cast<std::ptrdiff_t>(n * repeat * all.stride));
  }
  return all;
}

/// The grid simulator on the mapped kernels: a tile of its own for every step whose kernel holds resident bits, one for each other kernel.
KernelEngine grid_engine(const EngineInputs& inputs) {
  sim::KernelSimulatorParams params;
  params.latch_seed = inputs.latch_seed;
  params.engine = inputs.lanes ? sim::GridEngine::kAuto : sim::GridEngine::kSliced;
  params.threads = inputs.threads;
  const auto make = [params, &program = inputs.program](const MappedKernel& kernel, size_t k) {
    sim::KernelSimulatorParams of_kernel = params;
    of_kernel.shared_residents = shares_tile(program, k);
    return std::make_unique<sim::KernelSimulator>(kernel, of_kernel);
  };
  auto tiles = std::make_shared<Tiles<sim::KernelSimulator>>(Tiles<sim::KernelSimulator>{inputs.program, inputs.mapped(), make, {}});
  return {[tiles](int step, const StepBatch& batch) {
            const auto kernel = static_cast<size_t>(tiles->program.steps[static_cast<size_t>(step)].kernel);
            sim::KernelSimulator& tile = tiles->tile(step);
            return shares_tile(tiles->program, kernel) ? run_by_position(tile, batch) : tile.run(joined(tiles->dag(step), batch));
          },
          [tiles] {
            EngineStats sum;
            for (const auto& [key, tile] : tiles->tiles) {
              sum.cycles += tile->stats().tile_cycles();
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
  return {[&program = inputs.program, shared, stats](int step, const StepBatch& batch) {
            const auto kernel = static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel);
            return (*shared)[kernel]->run(joined(program.kernels[kernel].dag, batch), stats.get());
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
  return {[tiles](int step, const StepBatch& batch) { return tiles->tile(step).run(joined(tiles->dag(step), batch)); },
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

template <KernelEngine (*make)(const EngineInputs&)>
NetworkRunner network_on(const IntegerNetwork& network, const NetworkRunParams& params) {
  return network_kernel_runner(make, network, params);
}

}  // namespace

const std::vector<Engine>& engines() {
  static const std::vector<Engine> table = {
      {.name = "cpu",
       .purpose = "packed kernels of the reference CPU engine",
       .of_model = cpu_engine,
       .of_scaled = integer_runner,
       .of_network = cpu_network_runner},
      {.name = "float",
       .purpose = "models with scales in floating point, as their makers state them: a yardstick",
       .exact = false,
       .of_scaled = float_runner},
      {.name = "dag",
       .purpose = "the evaluator of the kernels' Dags",
       .of_kernels = dag_engine,
       .of_scaled = scaled_on<dag_engine>,
       .of_network = network_on<dag_engine>},
      {.name = "grid",
       .purpose = "the mapped kernels on simulated grids",
       .on_grid = true,
       .of_kernels = grid_engine,
       .of_scaled = scaled_on<grid_engine>,
       .of_network = network_on<grid_engine>},
      {.name = "rtl",
       .purpose = "the kernels' datapath Verilog under Verilator",
       .other_name = "datapath",
       .with = "fabric",
       .of_kernels = rtl_engine,
       .of_scaled = scaled_on<rtl_engine>,
       .of_network = network_on<rtl_engine>},
      {.name = "fabric",
       .purpose = "the fabric's Verilog, configured with the mapped kernels, under Verilator",
       .on_grid = true,
       .of_kernels = fabric_engine,
       .of_scaled = scaled_on<fabric_engine>,
       .of_network = network_on<fabric_engine>},
      {.name = "systemc",
       .purpose = "the mapped kernels on tiles among memories and buses; several texts at once",
       .on_grid = true,
       .of_streams = run_platform},
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

std::string engine_names(bool (*which)(const Engine& engine)) {
  std::string names;
  for (const Engine& engine : engines()) {
    if (which != nullptr && !which(engine)) continue;
    names += (names.empty() ? "" : ", ") + engine.name;
    if (which == nullptr && !engine.other_name.empty()) names += ", " + engine.other_name;
  }
  return names;
}

void require_scaled(const Engine& engine, const std::string& option) {
  if (engine.of_scaled == nullptr)
    throw Error(option, "engine " + engine.name + " does not run models with scales",
                "choose one of " + engine_names([](const Engine& e) { return e.of_scaled != nullptr; }));
}

void require_network(const Engine& engine, const std::string& option) {
  if (engine.of_network == nullptr)
    throw Error(option, "engine " + engine.name + " does not run networks",
                "choose one of " + engine_names([](const Engine& e) { return e.of_network != nullptr; }));
}

std::string list_engines() {
  std::string text;
  for (const Engine& engine : engines()) {
    text += fmt::format("  {:16}{}", engine.name, engine.purpose);
    if (!engine.with.empty()) text += fmt::format(" (in a list: {},{})", engine.other_name, engine.with);
    text += '\n';
  }
  return text;
}

std::string default_engines_of_folder(bool has_kernels, bool has_verilog) {
  return std::string("cpu,dag") + (has_kernels ? ",grid" : "") + (has_verilog ? ",datapath" : "");
}

std::vector<rtl::RtlSource> verilog_sources(const Program& program) {
  std::vector<rtl::RtlSource> sources;
  for (const Kernel& kernel : program.kernels) sources.push_back(rtl::make_rtl_source(kernel.name, rtl::datapath_verilog(kernel.dag)));
  return sources;
}

}  // namespace bitgrid::engines
