// Cell updates per second of the grid simulators, one stimulus, all border ports driven and sampled in every phase of the "ports" cases.
// The ratio of a sliced case to the scalar case of the same grid is printed as the counter "x_scalar".
#include <benchmark/benchmark.h>

#include <ctime>
#include <map>
#include <random>
#include <utility>

#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/sliced.h"

namespace bitgrid {
namespace {

enum Kind : int { kRandom = 0, kRouting = 1 };
enum Engine : int { kScalarEngine = 0, kPortable = 1, kAvx2 = 2, kAvx512 = 3 };

/// Any truth tables, or wires as a router leaves them: half of the cells idle, the others copying inputs.
GridConfig make_grid(int side, int kind) {
  std::mt19937_64 random(1);
  GridConfig grid(side, side);
  for (CellWord& word : grid.cells) {
    const auto wire = [&] { return random() % 2 ? kCopy[random() % 4] : Lut{0}; };
    word = kind == kRandom ? random() : random() % 2 ? cell_word({wire(), wire(), wire(), wire()}) : 0;
  }
  return grid;
}

double updates(const benchmark::State& state, int side, int phases) {
  return static_cast<double>(state.iterations()) * side * side * phases / 2;
}

double seconds_since(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

/// Scalar updates per second of processor time, measured once a grid for the ratios.
double scalar_rate(int side, int kind) {
  static std::map<std::pair<int, int>, double> rates;
  double& rate = rates[{side, kind}];
  if (rate > 0) return rate;
  ScalarGrid grid(make_grid(side, kind));
  const int phases = 2 + 8'000'000 / (side * side) * 2;
  const std::clock_t start = std::clock();
  for (int phase = 0; phase < phases; ++phase) grid.step(phase);
  return rate = static_cast<double>(side) * side * phases / 2 / seconds_since(start);
}

template <typename Grid>
void run_phases(Grid& grid, int phases) {
  for (int phase = 0; phase < phases; ++phase) grid.step(phase);
  benchmark::ClobberMemory();
}

void simulate(benchmark::State& state) {
  const auto side = static_cast<int>(state.range(0)), kind = static_cast<int>(state.range(1)), engine = static_cast<int>(state.range(2));
  const GridConfig config = make_grid(side, kind);
  const int phases = engine == kScalarEngine ? 2 : 64;
  const double scalar = engine == kScalarEngine ? 0 : scalar_rate(side, kind);
  double seconds = 0;
  const char* kinds[] = {"random", "routing"};
  if (engine == kScalarEngine) {
    ScalarGrid grid(config);
    for (auto _ : state) run_phases(grid, phases);
    state.SetLabel(std::string("scalar ") + kinds[kind]);
  } else {
    const auto target = static_cast<SimdTarget>(engine);
    if ((engine == kAvx2 || engine == kAvx512) && SlicedGrid(GridConfig(1, 1)).target() != "avx512") {
      if (engine == kAvx512 || SlicedGrid(GridConfig(1, 1)).target() != "avx2")
        return state.SkipWithError("this machine lacks the instructions");
    }
    SlicedGrid grid(config, target);
    const std::clock_t start = std::clock();
    for (auto _ : state) run_phases(grid, phases);
    seconds = seconds_since(start);
    state.SetLabel(grid.target() + " " + kinds[kind]);
  }
  state.counters["updates/s"] = benchmark::Counter(updates(state, side, phases), benchmark::Counter::kIsRate);
  if (engine != kScalarEngine) state.counters["x_scalar"] = updates(state, side, phases) / seconds / scalar;
}

BENCHMARK(simulate)->ArgsProduct({{64, 256, 1024}, {kRandom, kRouting}, {kScalarEngine, kPortable, kAvx2, kAvx512}})->MinTime(0.2);

/// The same with every border port driven and sampled in every phase.
void simulate_ports(benchmark::State& state) {
  const auto side = static_cast<int>(state.range(0));
  SlicedGrid grid(make_grid(side, kRandom));
  std::vector<SlicedGrid::Port> in, out;
  for (const Side s : kSides) {
    for (int p = 0; p < side; ++p) {
      in.push_back(grid.input_port(s, p));
      out.push_back(grid.output_port(s, p));
    }
  }
  int phase = 0;
  unsigned ones = 0;
  for (auto _ : state) {
    for (const SlicedGrid::Port port : in) grid.drive(port);
    grid.step(phase++);
    for (const SlicedGrid::Port port : out) ones += grid.sample(port);
  }
  benchmark::DoNotOptimize(ones);
  state.counters["updates/s"] = benchmark::Counter(updates(state, side, 1), benchmark::Counter::kIsRate);
}

BENCHMARK(simulate_ports)->Arg(64)->Arg(256)->Arg(1024)->MinTime(0.2);

}  // namespace
}  // namespace bitgrid

BENCHMARK_MAIN();
