#include "check/check_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "frontend/onnx/evaluate.h"
#include "ir/error.h"
#include "ir/index.h"

namespace bitgrid::check {
namespace {

using Values = std::map<std::string, std::vector<int64_t>>;

/// The values of every sample, by name.
std::vector<Values> traced(const engines::NetworkRunner& runner, const std::vector<std::vector<int64_t>>& codes) {
  std::vector<Values> all(codes.size());
  runner.run(codes, [&](size_t sample, const std::string& name, std::span<const int64_t> values) {
    all[sample][name].assign(values.begin(), values.end());
  });
  return all;
}

/// In the order in which the definition computes: layers.2 before layers.10, sums before codes, scores last.
struct Later {
  static std::pair<size_t, std::string> key(const std::string& name) {
    return {name.starts_with("layers.") ? std::stoul(name.substr(7)) : name == "input" ? 0 : SIZE_MAX, name};
  }
  bool operator()(const NetworkMismatch& a, const NetworkMismatch& b) const {
    return std::tuple(a.sample, key(a.name), a.index) < std::tuple(b.sample, key(b.name), b.index);
  }
};

NetworkEngineCheck compare(const std::string& engine, const std::vector<Values>& expected, const std::vector<Values>& got,
                           std::optional<NetworkMismatch>& first) {
  NetworkEngineCheck result{engine, 0, 0, {}};
  for (size_t s = 0; s < expected.size(); ++s) {
    for (const auto& [name, values] : got[s]) {
      const auto it = expected[s].find(name);
      if (it == expected[s].end()) continue;
      for (size_t i = 0; i < values.size(); ++i) {
        ++result.compared;
        if (values[i] == it->second[i]) continue;
        ++result.mismatches;
        const NetworkMismatch m{engine, s, name, i, it->second[i], values[i]};
        if (!first || (first->engine == engine && Later()(m, *first))) first = m;
      }
    }
  }
  return result;
}

/// The graph's own arithmetic on one sample: its output tensor.
std::vector<double> graph_output(const engines::OpenNetwork& open, const std::vector<double>& sample) {
  std::vector<int64_t> shape = open.graph.inputs[0].shape;
  const auto batch = static_cast<size_t>(std::max<int64_t>(1, shape[0]));
  shape[0] = static_cast<int64_t>(batch);
  std::vector<double> values;
  for (size_t i = 0; i < batch; ++i) values.insert(values.end(), sample.begin(), sample.end());
  const auto tensors = frontend::onnx::evaluate_graph(open.graph, {shape, values}, open.network.output_tensor);
  std::vector<double> out = tensors.at(open.network.output_tensor).values;
  out.resize(out.size() / batch);
  return out;
}

GraphComparison compare_graph(const engines::OpenNetwork& open, const std::vector<Values>& expected) {
  GraphComparison result;
  const IntegerNetwork& n = open.network;
  for (size_t s = 0; s < expected.size(); ++s) {
    const std::vector<double> floats = graph_output(open, open.samples[s]);
    const std::vector<int64_t>& scores = expected[s].at("scores");
    double size = 0.0;
    for (const double v : floats) size = std::max(size, std::abs(v));
    if (n.decision == Decision::kCodes) {
      const std::vector<int64_t> codes = answer(n, scores);
      bool same = true;
      for (size_t i = 0; i < codes.size(); ++i) {
        ++result.compared;
        const double value = static_cast<double>(codes[i]) * n.code_unit + n.code_offset;
        same &= std::abs(value - floats.at(i)) <= 1e-9 * std::max(size, 1e-300);
      }
      result.other_answers += !same;
      continue;
    }
    for (size_t i = 0; i < scores.size(); ++i) {
      ++result.compared;
      const double value = static_cast<double>(scores[i]) * n.gain[i] + n.offset[i];
      result.largest = std::max(result.largest, std::abs(value - floats.at(i)) / std::max(size, 1e-300));
    }
    const auto best = index_of(answer(n, scores)[0]);
    const auto largest = static_cast<size_t>(std::max_element(floats.begin(), floats.end()) - floats.begin());
    result.other_answers += best != largest && scores[best] != scores[largest];
  }
  return result;
}

}  // namespace

bool NetworkCheckReport::ok() const {
  return !first && (!graph || (graph->other_answers == 0 && graph->largest <= 1e-9));
}

NetworkCheckReport check_network(const engines::OpenNetwork& open, const NetworkCheckParams& params) {
  NetworkCheckReport report;
  report.samples = open.samples.size();
  const auto codes = engines::codes_of(open.network, open.samples);
  params.run.progress("cpu: the definition");
  const std::vector<Values> expected = traced(engines::cpu_network_runner(open.network, params.run), codes);
  for (const engines::Engine* engine : params.engines) {
    engines::require_network(*engine, "--engines");
    const engines::NetworkRunner runner = engine->of_network(open.network, params.run);
    std::optional<NetworkMismatch> first;
    report.engines.push_back(compare(engine->name, expected, traced(runner, codes), first));
    report.engines.back().stats = runner.stats();
    if (!report.first) report.first = first;
  }
  if (params.graph) {
    params.run.progress("the graph in floating point");
    report.graph = compare_graph(open, expected);
  }
  return report;
}

}  // namespace bitgrid::check
