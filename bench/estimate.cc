// Processor time of `bitgrid estimate` on every shapes file of examples/shapes: eight contexts each, as the command does.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <string>

#include "estimate/estimate.h"
#include "estimate/estimate_source.h"
#include "estimate/shape_plans.h"

namespace bitgrid {
namespace {

void estimate_shapes(benchmark::State& state, const std::string& path) {
  int64_t cells = 0;
  for (auto _ : state) {
    estimate::ShapePlans plans;
    const estimate::EstimateModel model = estimate::read_estimate_model(path);
    for (const int context : {0, 256, 512, 1024, 2048, 4096, 8192, 16384}) {
      const estimate::Estimate e = estimate::estimate(estimate::read_kernels(model, {context, false}, &plans).kernels, {});
      if (context == 0) cells = e.cells_total;
    }
  }
  state.counters["cells"] = static_cast<double>(cells);
}

}  // namespace
}  // namespace bitgrid

int main(int argc, char** argv) {
  for (const auto& entry : std::filesystem::directory_iterator(BITGRID_SOURCE_DIR "/examples/shapes")) {
    if (entry.path().filename() == "sweep.yaml") continue;
    const auto run = [path = entry.path().string()](benchmark::State& state) { bitgrid::estimate_shapes(state, path); };
    benchmark::RegisterBenchmark(entry.path().stem().c_str(), run)->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
