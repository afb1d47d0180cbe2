#include "check/engines.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <sstream>

#include "ir/dag.h"
#include "ir/error.h"

namespace bitgrid {
namespace {

constexpr std::array<std::pair<Engine, std::string_view>, 7> kNames = {{{Engine::kCpu, "cpu"},
                                                                        {Engine::kDag, "dag"},
                                                                        {Engine::kGrid, "grid"},
                                                                        {Engine::kRtl, "rtl"},
                                                                        {Engine::kFabric, "fabric"},
                                                                        {Engine::kSystemC, "systemc"},
                                                                        {Engine::kRtl, "datapath"}}};

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

}  // namespace

std::string_view name(Engine engine) {
  for (const auto& [e, text] : kNames) {
    if (e == engine) return text;
  }
  return "";
}

Engine parse_engine(const std::string& text) {
  for (const auto& [e, known] : kNames) {
    if (text == known) return e;
  }
  throw Error("--engine", "'" + text + "' is no engine", "choose one of cpu, dag, grid, rtl, datapath, fabric, systemc");
}

std::vector<Engine> parse_engines(const std::string& text) {
  std::vector<Engine> engines;
  std::stringstream list(text);
  for (std::string item; std::getline(list, item, ',');) {
    engines.push_back(parse_engine(item));
    if (item == "rtl") engines.push_back(Engine::kFabric);
  }
  if (engines.empty()) throw Error("--engines", "the list is empty", "choose from cpu, dag, grid, rtl, datapath, fabric, systemc");
  return engines;
}

KernelEngine dag_engine(const Program& program) {
  return {[&program](int step, const BitMatrix& inputs) {
            return evaluate(program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag, inputs);
          },
          [] { return EngineStats{}; }};
}

KernelEngine grid_engine(const Program& program, std::vector<MappedKernel> mapped, const KernelSimulatorParams& params) {
  const auto make = [params](const MappedKernel& kernel, size_t) { return std::make_unique<KernelSimulator>(kernel, params); };
  auto tiles = std::make_shared<Tiles<KernelSimulator>>(Tiles<KernelSimulator>{program, std::move(mapped), make, {}});
  return {[tiles](int step, const BitMatrix& inputs) { return tiles->tile(step).run(inputs); },
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

KernelEngine rtl_engine(const Program& program, std::vector<std::shared_ptr<RtlModel>> models) {
  const auto shared = std::make_shared<std::vector<std::shared_ptr<RtlModel>>>(std::move(models));
  const auto stats = std::make_shared<RtlRunStats>();
  return {[&program, shared, stats](int step, const BitMatrix& inputs) {
            return (*shared)[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)]->run(inputs, stats.get());
          },
          [stats] {
            return EngineStats{stats->clocks, 0, 0, 0};
          }};
}

KernelEngine fabric_engine(const Program& program, std::vector<MappedKernel> mapped, std::vector<std::shared_ptr<RtlModel>> models) {
  const auto make = [models = std::move(models)](const MappedKernel& kernel, size_t k) {
    return std::make_unique<FabricKernel>(kernel, models[k]);
  };
  auto tiles = std::make_shared<Tiles<FabricKernel>>(Tiles<FabricKernel>{program, std::move(mapped), make, {}});
  return {[tiles](int step, const BitMatrix& inputs) { return tiles->tile(step).run(inputs); },
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

std::vector<RtlSource> fabric_sources(const std::vector<MappedKernel>& mapped) {
  std::vector<RtlSource> sources;
  for (const MappedKernel& kernel : mapped) sources.push_back(fabric_source(fabric_shape(kernel)));
  return sources;
}

}  // namespace bitgrid
