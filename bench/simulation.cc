// Cells updated per second by the grid simulators, and the limits of the machine in the same run.
//
// Runs are named simulate/ENGINE/KIND/WxH/threads:N. Engines: scalar; portable, avx2, avx512 and avx512vbmi2 (sliced, one phase at a time);
// sliced (as the product runs it: widest instructions, several phases in a sweep); lanes (512 stimuli); batch (sliced with 8 stimuli
// of a grid together); verilator (the fabric as Verilog,
// vector form, which Verilator compiles first; sliced runs after it say how many times as fast they are). Kinds: random truth tables,
// routing (half of the cells idle, the others copying inputs), regular (a systolic array of multiply-accumulates), kernel (mapped kernels,
// whose files without their extension stand in BITGRID_KERNELS, separated by colons). BITGRID_HUGE=1 adds a grid of 16384 x 16384 cells,
// with the peak memory of the whole program. Every case counts whole grids of W x H cells; lanes count a cell once for each stimulus. Times
// are processor time, with several threads real time.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <random>
#include <sstream>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "bitgrid_sim/kernel_schedule.h"
#include "bitgrid_sim/lanes.h"
#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/sliced.h"
#include "frontend/compiled/mapped_kernel_io.h"
#include "ir/error.h"
#ifdef BITGRID_BENCH_VERILATOR
#include "rtl/fabric_grid.h"
#endif

namespace bitgrid {
namespace {

using MakeGrid = std::function<GridConfig()>;

GridConfig random_grid(int width, int height) {
  std::mt19937_64 random(1);
  GridConfig grid(width, height);
  for (CellWord& word : grid.cells) word = random();
  return grid;
}

GridConfig routing_grid(int width, int height) {
  std::mt19937_64 random(1);
  GridConfig grid(width, height);
  const auto wire = [&] { return random() % 2 ? kCopy[random() % 4] : Lut{0}; };
  for (CellWord& word : grid.cells) word = random() % 2 ? cell_word({wire(), wire(), wire(), wire()}) : 0;
  return grid;
}

/// The two-cell multiply-accumulate stamp, weights -1, 0, 1 at random.
GridConfig regular_grid(int width, int height) {
  const Lut sum = kFromN ^ kFromE ^ kFromW, add = (kFromN & kFromE) | (kFromN & kFromW) | (kFromE & kFromW);
  const Lut subtract = static_cast<Lut>((kFromN & kFromE) | (kFromN & ~kFromW) | (kFromE & ~kFromW));
  const CellWord weights[3] = {cell_word({0, kFromW, kFromS, 0}), cell_word({add, sum, kFromS, 0}), cell_word({subtract, sum, kFromS, 0})};
  const CellWord pass = cell_word({0, kFromW, kFromN, kFromN});
  std::mt19937_64 random(1);
  GridConfig grid(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) grid.at(x, y) = x % 2 ? pass : weights[random() % 3];
  }
  return grid;
}

/// Runs `body` as often as the benchmark wants and counts by processor time, or real time where several threads work.
template <typename Body>
void measure(benchmark::State& state, const char* counter, double updates_an_iteration, const Body& body, bool real_time = false) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t start_cpu = std::clock();
  for (auto _ : state) body();
  const double real = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double seconds = real_time ? real : static_cast<double>(std::clock() - start_cpu) / CLOCKS_PER_SEC;
  state.counters[counter] = updates_an_iteration * static_cast<double>(state.iterations()) / seconds;
}

/// Steps that make an iteration long enough to be timed.
int phases_for(size_t cells, double updates) {
  return 2 * std::max(1, static_cast<int>(updates / static_cast<double>(cells)));
}

/// Cell updates a second of the same grid under Verilator, by kind and size, where it ran before.
std::map<std::string, double>& verilator_rates() {
  static std::map<std::string, double> rates;
  return rates;
}

void compare_with_verilator(benchmark::State& state, const std::string& grid) {
  const auto rate = verilator_rates().find(grid);
  if (rate != verilator_rates().end()) state.counters["times_verilator"] = state.counters["cells_per_second"] / rate->second;
}

#ifdef BITGRID_BENCH_VERILATOR
void run_verilator(benchmark::State& state, const MakeGrid& make, const std::string& name) {
  const GridConfig config = make();
  const rtl::FabricShape shape{config.width, config.height, 64};
  std::shared_ptr<rtl::RtlModel> model;
  try {
    model = rtl::build_rtl({rtl::fabric_source(shape)})[0];
  } catch (const Error& e) {
    return state.SkipWithError(e.what());
  }
  rtl::FabricGrid grid(model, shape);
  grid.load(config);
  const int phases = phases_for(config.cells.size(), 2e5);
  measure(state, "cells_per_second", static_cast<double>(config.cells.size()) * phases / 2, [&] {
    for (int phase = 0; phase < phases; ++phase) grid.step();
  });
  verilator_rates()[name] = state.counters["cells_per_second"];
}
#endif

void run_scalar(benchmark::State& state, const MakeGrid& make) {
  const GridConfig config = make();
  sim::ScalarGrid grid(config);
  measure(state, "cells_per_second", static_cast<double>(config.cells.size()), [&] {
    grid.step(0);
    grid.step(1);
  });
}

void run_steps(benchmark::State& state, const MakeGrid& make, sim::SimdTarget target) {
  const GridConfig config = make();
  sim::SlicedGrid grid(config, target);
  const int phases = phases_for(config.cells.size(), 4e6);
  measure(state, "cells_per_second", static_cast<double>(config.cells.size()) * phases / 2, [&] {
    for (int phase = 0; phase < phases; ++phase) grid.step(phase);
  });
}

void run_sliced(benchmark::State& state, const MakeGrid& make, const std::string& name, size_t threads) {
  const GridConfig config = make();
  sim::SlicedGrid grid(config);
  const int64_t phases = std::max(threads > 1 ? 1024 : 256, phases_for(config.cells.size(), 8e6));
  measure(
      state, "cells_per_second", static_cast<double>(config.cells.size()) * static_cast<double>(phases) / 2,
      [&] {
        grid.run(0, phases, {}, {}, {threads, 0, 0});
      },
      threads > 1);
  state.counters["bytes_per_cell"] = static_cast<double>(grid.memory()) / static_cast<double>(config.cells.size());
  compare_with_verilator(state, name);
}

void run_batch(benchmark::State& state, const MakeGrid& make) {
  constexpr size_t kStimuli = 8;
  const GridConfig config = make();
  sim::SlicedGrid grid(config.width, config.height, frontend::grid_source(config).row, sim::SimdTarget::kAuto, kStimuli);
  const int64_t phases = std::max(64, phases_for(config.cells.size(), 2e6));
  measure(state, "cell_lanes_per_second", static_cast<double>(config.cells.size()) * static_cast<double>(phases) / 2 * kStimuli,
          [&] { grid.run(0, phases, {}, {}, {}); });
}

void run_lanes(benchmark::State& state, const sim::LaneProgram& program) {
  sim::LaneGrid grid(program);
  const size_t cells = static_cast<size_t>(program.width) * static_cast<size_t>(program.height);
  const int phases = phases_for(cells, 1e5);
  measure(state, "cell_lanes_per_second", static_cast<double>(cells) * phases / 2 * static_cast<double>(grid.lanes()), [&] {
    for (int phase = 0; phase < phases; ++phase) grid.step(phase);
  });
  state.counters["state_bytes"] = static_cast<double>(size_t{program.words} * grid.lanes() / 8);
}

/// All ports driven, all cells observed.
sim::LaneProgram whole_grid(const GridConfig& config) {
  sim::LaneProgramParams params;
  for (const Side side : kSides) {
    for (int p = 0; p < sim::ports_of(side, config.width, config.height); ++p) params.driven.push_back({side, p});
  }
  params.all_cells = true;
  return sim::compile_lanes(config, params);
}

sim::LaneProgram kernel_program(const MappedKernel& kernel) {
  const sim::KernelSchedule schedule = sim::make_schedule(kernel);
  sim::LaneProgramParams params;
  for (const auto& p : schedule.in) params.driven.push_back({p.side, p.position});
  for (const auto& p : schedule.out) params.sampled.push_back({p.side, p.position});
  params.residents = kernel.residents;
  params.variables = kernel.input_bits;
  return sim::compile_lanes(kernel.grid, params);
}

template <typename Function, typename... Arguments>
void add(const std::string& engine, const std::string& kind, const std::string& size, size_t threads, Function function,
         Arguments... arguments) {
  const std::string name = fmt::format("simulate/{}/{}/{}/threads:{}", engine, kind, size, threads);
  benchmark::RegisterBenchmark(name.c_str(), function, arguments...);
}

void add_kind(const std::string& kind, GridConfig (*make)(int, int)) {
  for (const auto& [width, height] : {std::pair{64, 64}, {256, 256}, {1024, 1024}, {4096, 1024}}) {
    const std::string size = fmt::format("{}x{}", width, height);
    const MakeGrid grid = [make, w = width, h = height] { return make(w, h); };
    const bool large = width >= 1024;
    if (!large) add("scalar", kind, size, 1, run_scalar, grid);
    for (const sim::SimdTarget target : sim::kSimdTargets) {
      if (sim::has_target(target) && width <= 1024) add(to_string(target), kind, size, 1, run_steps, grid, target);
    }
    const std::string name = kind + "/" + size;
#ifdef BITGRID_BENCH_VERILATOR
    if (!large) add("verilator", kind, size, 1, run_verilator, grid, name);
#endif
    add("sliced", kind, size, 1, run_sliced, grid, name, size_t{1});
    add("batch", kind, size, 1, run_batch, grid);
    if (large) add("sliced", kind, size, 2, run_sliced, grid, name, size_t{2});
    // Of random wires almost all stay 0 for ever, and lanes leave these out.
    if (!large && kind != "routing") add("lanes", kind, size, 1, [grid](benchmark::State& state) { run_lanes(state, whole_grid(grid())); });
  }
}

/// Random cells made row by row, as a grid that does not fit memory twice; the configuration is 8 bytes a cell.
void run_huge(benchmark::State& state, size_t threads) {
  constexpr int kSide = 16384;
  const sim::SlicedGrid::RowSource rows = [](int y, std::span<CellWord> row) {
    std::mt19937_64 random(static_cast<uint64_t>(y));
    for (CellWord& word : row) word = random();
  };
  sim::SlicedGrid grid(kSide, kSide, rows);
  const double cells = double{kSide} * kSide;
  measure(
      state, "cells_per_second", cells * 32,
      [&] {
        grid.run(0, 64, {}, {}, {threads, 0, 0});
      },
      threads > 1);
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["bytes_per_cell"] = static_cast<double>(grid.memory()) / cells;
  state.counters["peak_bytes_per_cell"] = static_cast<double>(usage.ru_maxrss) * 1024 / cells;
}

void add_kernels(const char* stems) {
  std::istringstream list(stems);
  for (std::string stem; std::getline(list, stem, ':');) {
    const MappedKernel kernel = frontend::read_mapped_kernel(stem).kernel;
    const std::string size = fmt::format("{}x{}", kernel.grid.width, kernel.grid.height);
    const MakeGrid grid = [config = kernel.grid] { return config; };
    add("scalar", "kernel", size, 1, run_scalar, grid);
#ifdef BITGRID_BENCH_VERILATOR
    add("verilator", "kernel", size, 1, run_verilator, grid, stem);
#endif
    add("sliced", "kernel", size, 1, run_sliced, grid, stem, size_t{1});
    add("lanes", "kernel", size, 1, [kernel](benchmark::State& state) { run_lanes(state, kernel_program(kernel)); });
  }
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] void read_512(const uint64_t* data, size_t words) {
  // Eight streams, as prefetchers like them.
  __m512i sums[8] = {};
  for (size_t i = 0; i < words / 8; i += 8) {
#pragma GCC unroll 8
    for (size_t k = 0; k < 8; ++k) sums[k] = _mm512_xor_si512(sums[k], _mm512_load_si512(data + k * (words / 8) + i));
  }
  benchmark::DoNotOptimize(sums);
}
[[gnu::target("avx512f")]] void ternary_512(size_t rounds) {
  __m512i v[8];
  for (size_t k = 0; k < 8; ++k) v[k] = _mm512_set1_epi64(static_cast<int64_t>(k));
  for (size_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 8
    for (size_t k = 0; k < 8; ++k) v[k] = _mm512_ternarylogic_epi64(v[k], v[(k + 3) % 8], v[(k + 5) % 8], 0x96);
  }
  benchmark::DoNotOptimize(v);
}

void limit_read(benchmark::State& state, size_t bytes) {
  sim::AlignedVector<uint64_t> data(bytes / 8, 1);
  measure(state, "bytes_per_second", static_cast<double>(bytes), [&] { read_512(data.data(), data.size()); });
}
void limit_ternary(benchmark::State& state) {
  measure(state, "operations_per_second", 80'000, [] { ternary_512(10'000); });
}

void add_limits() {
  if (!sim::has_target(sim::SimdTarget::kAvx512)) return;
  benchmark::RegisterBenchmark("limit/l2_read", limit_read, size_t{512} << 10);
  benchmark::RegisterBenchmark("limit/dram_read", limit_read, size_t{256} << 20);
  benchmark::RegisterBenchmark("limit/ternary_logic", limit_ternary);
}
#else
void add_limits() {}
#endif

}  // namespace
}  // namespace bitgrid

int main(int argc, char** argv) {
  bitgrid::add_limits();
  bitgrid::add_kind("random", bitgrid::random_grid);
  bitgrid::add_kind("routing", bitgrid::routing_grid);
  bitgrid::add_kind("regular", bitgrid::regular_grid);
  if (std::getenv("BITGRID_HUGE")) bitgrid::add("sliced", "random", "16384x16384", 1, bitgrid::run_huge, size_t{1});
  if (const char* kernels = std::getenv("BITGRID_KERNELS")) bitgrid::add_kernels(kernels);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
