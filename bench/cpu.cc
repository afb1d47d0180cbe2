// Speed of the reference CPU engine's kernels and of whole models, beside what memory allows in the same run.
//   build/release/bench/cpu --benchmark_filter='limit|gemv|gemm'      BITGRID_CPU=NAME forces one implementation
#include <benchmark/benchmark.h>
#include <fmt/format.h>

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

BITGRID_VECTORISED_CLONES uint64_t sum_of(const uint64_t* data, size_t count) {
  uint64_t sums[32] = {};
  for (size_t i = 0; i < count; i += 32)
    for (size_t j = 0; j < 32; ++j) sums[j] += data[i + j];
  uint64_t sum = 0;
  for (const uint64_t s : sums) sum += s;
  return sum;
}

/// One pass over far more memory than the caches hold, from front to back.
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

struct Product {
  const char* name;
  WeightStorage storage;
  int most;    // the largest weight
  bool signs;  // one-bit activations
  size_t rows = 0, columns = 0;
  size_t batch = 1;  // vectors
  bool cold = true;
  int threads = 1;
};

void set_counters(benchmark::State& state, const Product& p, size_t bytes) {
  const double operations = 2.0 * static_cast<double>(p.rows * p.columns * p.batch);
  state.counters["gops"] = benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bytes_per_second"] = benchmark::Counter(static_cast<double>(bytes), benchmark::Counter::kIsIterationInvariantRate);
}

/// Matrix times vectors of int8, over so many matrices that each is read from memory, or over one.
void multiply(benchmark::State& state, const Product& p) {
  std::mt19937 random(1);
  const std::vector<int8_t> row = random_row(p.columns, p.storage, p.most, random);
  std::vector<LinearMap> maps;
  size_t bytes = 0;
  do {
    auto packed = std::make_shared<PackedWeights>(p.rows, p.columns, p.storage);
    for (size_t r = 0; r < p.rows; ++r) packed->pack(r, row);
    bytes += packed->bytes();
    maps.push_back({"m", packed, nullptr, constant(1.0), 0, {}, {}, {}});
  } while (p.cold && bytes < kColdBytes);
  std::vector<cpu::Codes> batch;
  for (size_t b = 0; b < p.batch; ++b) {
    std::vector<int64_t> x(p.columns);
    for (int64_t& v : x) v = static_cast<int64_t>(random() % 255) - 127;
    batch.push_back(cpu::make_codes(x, constant(1.0)));
  }
  ThreadPool pool(p.threads);
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cpu::apply(maps[next++ % maps.size()], batch, {cpu::SumKernel::kFast, p.threads, &pool}));
  }
  set_counters(state, p, maps[0].weights->bytes());
  state.SetLabel(cpu::chosen_sums().name);
}

/// One-bit weights times one-bit activations.
void multiply_signs(benchmark::State& state, const Product& p) {
  std::mt19937 random(1);
  std::vector<cpu::PackedMatrix> matrices;
  size_t bytes = 0;
  do {
    cpu::PackedMatrix m;
    m.values = WeightValues::kBinary;
    m.outputs = p.rows;
    m.inputs = p.columns;
    m.a = cpu::BitPlane(p.rows, p.columns);
    for (uint64_t& w : m.a.data) w = random() * (uint64_t{1} << 32) + random();
    bytes += m.a.data.size() * 8;
    matrices.push_back(std::move(m));
  } while (p.cold && bytes < kColdBytes / 2);
  std::vector<cpu::PackedVector> batch;
  for (size_t b = 0; b < p.batch; ++b) {
    std::vector<int64_t> x(p.columns);
    for (int64_t& v : x) v = static_cast<int64_t>(random() % 2) * 2 - 1;
    batch.push_back(cpu::pack(x));
  }
  ThreadPool pool(p.threads);
  constexpr size_t kRows = 256;  // a part
  std::vector<std::vector<int64_t>> u(p.batch, std::vector<int64_t>(p.rows));
  size_t next = 0;
  for (auto _ : state) {
    const cpu::PackedMatrix& m = matrices[next++ % matrices.size()];
    pool.run((p.rows + kRows - 1) / kRows, [&](size_t i) {
      for (size_t b = 0; b < p.batch; ++b)
        cpu::linear_rows(m, batch[b], i * kRows, std::min(p.rows, (i + 1) * kRows), u[b].data() + i * kRows);
    });
    benchmark::DoNotOptimize(u[0][0]);
  }
  set_counters(state, p, matrices[0].a.data.size() * 8);
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

ScaledModel random_model(const frontend::GraphConfig& graph) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return frontend::convert(frontend::random_checkpoint(graph, 1), {512, cores});
}

/// Tokens of a whole model of random weights, from an empty cache on.
void decode(benchmark::State& state, const frontend::GraphConfig& graph, int threads) {
  const ScaledModel model = random_model(graph);
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

/// A prompt of 128 tokens up to the first logits.
void prompt(benchmark::State& state, const frontend::GraphConfig& graph, int threads) {
  const ScaledModel model = random_model(graph);
  const cpu::ScaledEngine engine(model, {{}, {cpu::SumKernel::kFast, threads}});
  std::vector<int> tokens;
  for (int t = 0; t < 128; ++t) tokens.push_back(t);
  for (auto _ : state) {
    cpu::ScaledState text = engine.start();
    engine.feed(text, tokens, false, [](size_t, const cpu::ScaledLogits& z) { benchmark::DoNotOptimize(z.values[0]); });
  }
  state.counters["tokens_per_second"] =
      benchmark::Counter(static_cast<double>(tokens.size()), benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(cpu::chosen_sums().name);
}

void add_products() {
  constexpr size_t kShapes[][2] = {{2560, 2560}, {6912, 2560}, {2560, 6912}};
  constexpr Product kForms[] = {{"ternary", WeightStorage::kTwoBits, 1, false},
                                {"binary", WeightStorage::kOneBit, 1, false},
                                {"int2", WeightStorage::kTwoBits, 2, false},
                                {"sign", WeightStorage::kOneBit, 1, true}};
  const auto add = [](const std::string& kind, const std::string& where, const Product& p) {
    benchmark::RegisterBenchmark(fmt::format("{}/{}/{}x{}/{}/threads:{}", kind, p.name, p.rows, p.columns, where, p.threads).c_str(),
                                 [p](benchmark::State& state) { (p.signs ? multiply_signs : multiply)(state, p); })
        ->UseRealTime();
  };
  for (Product p : kForms) {
    for (const auto& [rows, columns] : kShapes) {
      p.rows = rows, p.columns = columns;
      for (const int threads : {1, 2}) {
        p.threads = threads;
        p.batch = 1;
        for (const bool cold : {true, false}) {
          p.cold = cold;
          add("gemv", cold ? "cold" : "hot", p);
        }
        p.cold = true, p.batch = 32;
        add("gemm", "batch:32", p);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const int threads : {1, 2}) {
    benchmark::RegisterBenchmark(("limit/dram_read/threads:" + std::to_string(threads)).c_str(), dram_read, threads)->UseRealTime();
  }
  add_products();
  for (const int threads : {1, 2}) {
    const std::string with = "/threads:" + std::to_string(threads);
    benchmark::RegisterBenchmark(("decode/bitnet-b158-2b4t" + with).c_str(), decode, bitnet_2b4t(), threads)->UseRealTime();
    benchmark::RegisterBenchmark(("decode/bonsai-1.7b" + with).c_str(), decode, bonsai_1_7b(), threads)->UseRealTime();
    benchmark::RegisterBenchmark(("prompt/bitnet-b158-2b4t" + with).c_str(), prompt, bitnet_2b4t(), threads)->UseRealTime();
    benchmark::RegisterBenchmark(("prompt/bonsai-1.7b" + with).c_str(), prompt, bonsai_1_7b(), threads)->UseRealTime();
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
