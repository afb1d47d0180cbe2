#include "check/engines.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <sstream>

#include "ir/dag.h"
#include "ir/error.h"

namespace bitgrid {
namespace {

constexpr std::array<std::pair<Engine, std::string_view>, 4> kNames = {
    {{Engine::kCpu, "cpu"}, {Engine::kDag, "dag"}, {Engine::kGrid, "grid"}, {Engine::kRtl, "rtl"}}};

/// Simulators of a program's steps, made when first used.
struct GridTiles {
  const Program& program;
  std::vector<MappedKernel> mapped;
  KernelSimulatorParams params;
  std::map<std::pair<int, int>, std::unique_ptr<KernelSimulator>> tiles;  // (kernel, step or -1)

  KernelSimulator& tile(int step) {
    const int kernel = program.steps[static_cast<size_t>(step)].kernel;
    const MappedKernel& mk = mapped[static_cast<size_t>(kernel)];
    auto& slot = tiles[{kernel, mk.residents.empty() ? -1 : step}];
    if (!slot) slot = std::make_unique<KernelSimulator>(mk, params);
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
  throw Error("--engine", "'" + text + "' is no engine", "choose one of cpu, dag, grid, rtl");
}

std::vector<Engine> parse_engines(const std::string& text) {
  std::vector<Engine> engines;
  std::stringstream list(text);
  for (std::string item; std::getline(list, item, ',');) engines.push_back(parse_engine(item));
  if (engines.empty()) throw Error("--engines", "the list is empty", "choose from cpu, dag, grid, rtl");
  return engines;
}

KernelEngine dag_engine(const Program& program) {
  return {[&program](int step, const BitMatrix& inputs) {
            return evaluate(program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag, inputs);
          },
          [] { return EngineStats{}; }};
}

KernelEngine grid_engine(const Program& program, std::vector<MappedKernel> mapped, const KernelSimulatorParams& params) {
  auto tiles = std::make_shared<GridTiles>(GridTiles{program, std::move(mapped), params, {}});
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
            return EngineStats{stats->clocks, 0, 0};
          }};
}

}  // namespace bitgrid
