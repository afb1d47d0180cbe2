#include "engines/network_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "ir/error.h"
#include "ir/index.h"

namespace bitgrid::engines {

bool is_network(const std::string& path) {
  return frontend::onnx::is_onnx(path);
}

OpenNetwork open_network(const std::string& path, const OpenNetworkParams& params) {
  OpenNetwork open;
  open.graph = frontend::onnx::read_graph(path);
  frontend::NpyArray array;
  if (!params.input.empty()) array = frontend::read_npy(params.input);
  open.network = network_of(open.graph, path, params.input_grid, params.input.empty() ? nullptr : &array, params.threads);
  open.samples =
      params.input.empty() ? made_samples(open.network, params.samples, params.seed) : samples_of(array, open.network, params.input);
  return open;
}

IntegerNetwork network_of(const frontend::onnx::Graph& graph, const std::string& path, const std::string& input_grid,
                          const frontend::NpyArray* array, int threads) {
  frontend::onnx::NetworkParams reading;
  reading.threads = threads;
  if (!input_grid.empty())
    reading.grid = frontend::onnx::parse_input_grid(input_grid);
  else if (array != nullptr)
    reading.grid = frontend::onnx::grid_of_numbers(array->values);
  IntegerNetwork network = frontend::onnx::convert(graph, path, reading);
  if (!input_grid.empty() && std::holds_alternative<RealThresholds>(network.input.codes))
    throw Error("--input-grid", "a quantiser reads the network's input, so that any value can come", "leave it out");
  return network;
}

std::vector<std::vector<double>> samples_of(const frontend::NpyArray& array, const IntegerNetwork& network, const std::string& source) {
  const size_t n = network.input.shape.size();
  const bool one = array.values.size() == n && (array.row_size() != n || array.shape.size() <= 1);
  if (!one && array.row_size() != n)
    throw Error(source, fmt::format("each sample has {} numbers, but the network reads {}", array.row_size(), n),
                fmt::format("give an array of shape [samples, {}], or of the graph's own shape", n));
  std::vector<std::vector<double>> samples;
  for (auto at = array.values.begin(); at != array.values.end(); at += static_cast<std::ptrdiff_t>(n))
    samples.emplace_back(at, at + static_cast<std::ptrdiff_t>(n));
  if (samples.empty()) throw Error(source, "it has no samples", "give at least one");
  return samples;
}

std::vector<std::vector<int64_t>> codes_of(const IntegerNetwork& network, const std::vector<std::vector<double>>& samples) {
  std::vector<std::vector<int64_t>> codes;
  for (size_t s = 0; s < samples.size(); ++s) codes.push_back(input_codes(network.input, samples[s], fmt::format("sample {}", s)));
  return codes;
}

std::vector<std::vector<double>> made_samples(const IntegerNetwork& network, int count, uint64_t seed) {
  std::mt19937_64 random(seed);
  const NetworkInput& in = network.input;
  const auto levels = static_cast<uint64_t>(in.range.levels());
  const size_t each = in.shape.size() / index_of(in.shape.channels);
  std::vector<std::vector<double>> samples;
  for (int s = 0; s < count; ++s) {
    std::vector<double> sample;
    for (size_t i = 0; i < in.shape.size(); ++i) {
      const uint64_t level = random() % (levels + 1);
      if (const auto* grid = std::get_if<RealGrid>(&in.codes)) {
        sample.push_back(grid->first + grid->step * static_cast<double>(level));
        continue;
      }
      // The threshold of the level itself, or below the first one; levels that no value reaches fall to one that some do.
      const auto& t = std::get<RealThresholds>(in.codes);
      const size_t row = t.direction.size() == 1 ? 0 : i / each;
      const double* at = t.at.data() + row * levels;
      double x = 0.0;
      if (level > 0 && std::isfinite(at[level - 1]))
        x = at[level - 1];
      else if (std::isfinite(at[0]))
        x = at[0] - t.direction[row] * (1.0 + std::abs(at[0]));
      sample.push_back(x);
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace bitgrid::engines
