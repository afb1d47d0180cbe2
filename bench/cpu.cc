// Speed of the reference CPU engine's kernels and of whole models, beside what memory allows in the same run.
//   build/release/bench/cpu --benchmark_filter='limit|gemv'      BITGRID_CPU=scalar|avx2|avx512 forces one implementation
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "frontend/checkpoint/convert.h"
#include "frontend/checkpoint/random_checkpoint.h"
#include "ir/thread_pool.h"
#include "ir/vectorised.h"
#include "reference_cpu/packed.h"
#include "reference_cpu/scaled/scaled_engine.h"

namespace {

using namespace bitgrid;

constexpr size_t kColdBytes = size_t{1} << 29;  // far more than the caches hold

BITGRID_VECTORISED uint64_t sum_of(const uint64_t* data, size_t count) {
  uint64_t sums[32] = {};
  for (size_t i = 0; i < count; i += 32)
    for (size_t j = 0; j < 32; ++j) sums[j] += data[i + j];
  uint64_t sum = 0;
  for (const uint64_t s : sums) sum += s;
  return sum;
}

void dram_read(benchmark::State& state, int threads) {
  const std::vector<uint64_t> data(kColdBytes / 8, 1);
  ThreadPool pool(threads);
  constexpr size_t kPart = size_t{1} << 17;
  for (auto _ : state) {
    pool.run(data.size() / kPart, [&](size_t i) { benchmark::DoNotOptimize(sum_of(data.data() + i * kPart, kPart)); });
  }
  state.counters["bytes_per_second"] = benchmark::Counter(static_cast<double>(kColdBytes), benchmark::Counter::kIsIterationInvariantRate);
}

std::vector<int8_t> random_row(size_t columns, WeightStorage storage, int most, std::mt19937& random) {
  std::vector<int8_t> row(columns);
  for (int8_t& w : row)
    w = static_cast<int8_t>(storage == WeightStorage::kOneBit ? static_cast<int>(random() % 2) * 2 - 1
                                                              : static_cast<int>(random() % static_cast<unsigned>(most + 2)) - 1);
  return row;
}

struct Gemv {
  WeightStorage storage;
  int most;  // the largest weight
  size_t rows, columns;
  bool cold;
  int threads;
};

/// Matrix times vector of int8, over so many matrices that each is read from memory, or over one.
void gemv(benchmark::State& state, const Gemv& g) {
  std::mt19937 random(1);
  const std::vector<int8_t> row = random_row(g.columns, g.storage, g.most, random);
  std::vector<LinearMap> maps;
  size_t bytes = 0;
  do {
    auto packed = std::make_shared<PackedWeights>(g.rows, g.columns, g.storage);
    for (size_t r = 0; r < g.rows; ++r) packed->pack(r, row);
    bytes += packed->bytes();
    maps.push_back({"m", packed, nullptr, constant(1.0), 0, {}, {}, {}});
  } while (g.cold && bytes < kColdBytes);
  std::vector<int64_t> x(g.columns);
  for (int64_t& v : x) v = static_cast<int64_t>(random() % 255) - 127;
  const cpu::Codes codes = cpu::make_codes(x, constant(1.0));
  ThreadPool pool(g.threads);
  size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(cpu::apply(maps[next++ % maps.size()], codes, {cpu::SumKernel::kFast, g.threads, &pool}));
  const double operations = 2.0 * static_cast<double>(g.rows * g.columns);
  state.counters["gops"] = benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bytes_per_second"] =
      benchmark::Counter(static_cast<double>(maps[0].weights->bytes()), benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(cpu::chosen_sums().name);
}

/// One-bit weights times one-bit activations.
void sign_gemv(benchmark::State& state, size_t rows, size_t columns, bool cold) {
  std::mt19937 random(1);
  std::vector<cpu::PackedMatrix> matrices;
  size_t bytes = 0;
  do {
    cpu::PackedMatrix m;
    m.values = WeightValues::kBinary;
    m.outputs = rows;
    m.inputs = columns;
    m.a = cpu::BitPlane(rows, columns);
    for (uint64_t& w : m.a.data) w = random() * (uint64_t{1} << 32) + random();
    bytes += m.a.data.size() * 8;
    matrices.push_back(std::move(m));
  } while (cold && bytes < kColdBytes / 4);
  std::vector<int64_t> x(columns);
  for (int64_t& v : x) v = static_cast<int64_t>(random() % 2) * 2 - 1;
  const cpu::PackedVector packed = cpu::pack(x);
  size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(cpu::linear(matrices[next++ % matrices.size()], packed));
  state.counters["gops"] = benchmark::Counter(2e-9 * static_cast<double>(rows * columns), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bytes_per_second"] =
      benchmark::Counter(static_cast<double>(rows * columns) / 8.0, benchmark::Counter::kIsIterationInvariantRate);
}

frontend::GraphConfig bitnet_2b4t() {
  frontend::GraphConfig g;
  g.architecture = "bitnet";
  g.width = 2560, g.layers = 30, g.heads = 20, g.kv_heads = 5, g.head_width = 128, g.hidden = 6912, g.vocabulary = 128256, g.context = 4096;
  g.rope_theta = 500000.0, g.eps = 1e-5, g.tied = true, g.gate = frontend::Gate::kReluSquared;
  return g;
}

frontend::GraphConfig bonsai_1_7b() {
  frontend::GraphConfig g;
  g.architecture = "qwen3";
  g.width = 2048, g.layers = 28, g.heads = 16, g.kv_heads = 8, g.head_width = 128, g.hidden = 6144, g.vocabulary = 151669, g.context = 4096;
  g.rope_theta = 1e6, g.eps = 1e-6, g.tied = true, g.gate = frontend::Gate::kSilu;
  return g;
}

/// Tokens of a whole model of random weights, from an empty cache on.
void decode(benchmark::State& state, const frontend::GraphConfig& graph, int threads) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const ScaledModel model = frontend::convert(frontend::random_checkpoint(graph, 1), {512, cores});
  const cpu::ScaledEngine engine(model, {{}, {cpu::SumKernel::kFast, threads}});
  cpu::ScaledState text = engine.start();
  int token = 1;
  for (auto _ : state) {
    if (text.position + 1 == model.context) text = engine.start();
    const cpu::ScaledLogits z = engine.step(text, token);
    token = static_cast<int>(std::max_element(z.values.begin(), z.values.end()) - z.values.begin());
  }
  state.counters["tokens_per_second"] = benchmark::Counter(1.0, benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(cpu::chosen_sums().name);
}

void add_gemv() {
  struct Kind {
    const char* name;
    WeightStorage storage;
    int most;
  };
  constexpr size_t kShapes[][2] = {{2560, 2560}, {6912, 2560}, {2560, 6912}};
  for (const auto& [rows, columns] : kShapes) {
    const std::string shape = std::to_string(rows) + "x" + std::to_string(columns);
    for (const bool cold : {true, false}) {
      const std::string where = cold ? "cold" : "hot";
      for (const Kind& k : {Kind{"ternary", WeightStorage::kTwoBits, 1}, Kind{"binary", WeightStorage::kOneBit, 1},
                            Kind{"int2", WeightStorage::kTwoBits, 2}})
        for (const int threads : {1, 2})
          benchmark::RegisterBenchmark(
              ("gemv/" + std::string(k.name) + "/" + shape + "/" + where + "/threads:" + std::to_string(threads)).c_str(), gemv,
              Gemv{k.storage, k.most, rows, columns, cold, threads})
              ->UseRealTime();
      benchmark::RegisterBenchmark(("gemv/sign/" + shape + "/" + where + "/threads:1").c_str(), sign_gemv, rows, columns, cold)
          ->UseRealTime();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const int threads : {1, 2}) {
    benchmark::RegisterBenchmark(("limit/dram_read/threads:" + std::to_string(threads)).c_str(), dram_read, threads)->UseRealTime();
  }
  add_gemv();
  for (const int threads : {1, 2}) {
    const std::string with = "/threads:" + std::to_string(threads);
    benchmark::RegisterBenchmark(("decode/bitnet-b158-2b4t" + with).c_str(), decode, bitnet_2b4t(), threads)->UseRealTime();
    benchmark::RegisterBenchmark(("decode/bonsai-1.7b" + with).c_str(), decode, bonsai_1_7b(), threads)->UseRealTime();
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
