#include "cli/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "check/check_network.h"
#include "engines/network_source.h"
#include "frontend/npy.h"
#include "ir/error.h"
#include "ir/index.h"
#include "ir/output_file.h"
#include "lowering/mapping/map.h"

namespace bitgrid::cli {
namespace {

engines::OpenNetworkParams open_params_of(const NetworkCommand& o) {
  return {o.options.input, o.options.grid, o.common.seed, 64, o.threads};
}

engines::NetworkRunParams run_params(const NetworkCommand& o, Progress& progress) {
  engines::NetworkRunParams params;
  params.seed = o.common.seed;
  params.optimize = mapping::parse_optimize(o.optimize);
  params.latch_seed = o.common.seed;
  params.progress = params.step_progress = [&progress](const std::string& line) { progress.say(line); };
  return params;
}

const engines::Engine& network_engine(const std::string& name) {
  const engines::Engine& engine = engines::find_engine(name.empty() ? "cpu" : name);
  engines::require_network(engine, "--engine");
  return engine;
}

std::string list_of(const std::vector<int64_t>& values) {
  std::string text;
  for (const int64_t v : values) text += fmt::format("{}{}", text.empty() ? "" : " ", v);
  return text;
}

std::string map_text(const FeatureMap& m) {
  return m.height * m.width == 1 ? fmt::format("{}", m.channels) : fmt::format("{} x {} x {}", m.channels, m.height, m.width);
}

std::string range_text(const CodeRange& r) {
  return r.levels() <= 2 ? r.levels() == 1 ? fmt::format("{}, {}", r.lo, r.hi) : fmt::format("{}, {}, {}", r.lo, r.lo + r.step, r.hi)
                         : fmt::format("{} .. {}", r.lo, r.hi);
}

/// What stands in a layer, for a table and for JSON.
Json matrix_json(const IntegerNetwork& n, size_t l, const NetworkMatrix& m) {
  const auto [lo, hi] = std::minmax_element(m.weights.begin(), m.weights.end());
  const auto zeros = std::count(m.weights.begin(), m.weights.end(), 0);
  const auto sums = sum_ranges(m, operand_range(n, l));
  int64_t least = 0, most = 0;
  size_t constant = 0;
  for (size_t c = 0; c < sums.size(); ++c) {
    least = std::min(least, sums[c].lo);
    most = std::max(most, sums[c].hi);
    if (m.thresholds) constant += code_of(*m.thresholds, c, sums[c].lo) == code_of(*m.thresholds, c, sums[c].hi);
  }
  Json json = {
      {"layer", layer_name(l)},
      {"node", m.name},
      {"kind", m.window.height * m.window.width == 1 || m.in.height * m.in.width == m.window.height * m.window.width ? "dense" : "conv"},
      {"in", map_text(m.in)},
      {"out", map_text(m.out)},
      {"weights", {*lo, *hi}},
      {"zero_weights", zeros},
      {"sums", {least, most}}};
  if (m.thresholds) {
    const auto falling = std::count(m.thresholds->direction.begin(), m.thresholds->direction.end(), -1);
    json["thresholds_per_channel"] = m.thresholds->range.levels();
    json["codes_out"] = {m.thresholds->range.lo, m.thresholds->range.hi};
    json["falling_channels"] = falling;
    json["constant_channels"] = constant;
  }
  json["folded"] = m.folded;
  return json;
}

void print_layers(const IntegerNetwork& n, Json& json) {
  std::cout << fmt::format("input {}: {} values, {}\n", n.input.name, map_text(n.input.shape),
                           std::holds_alternative<RealGrid>(n.input.codes) ? "whole codes " + range_text(n.input.range)
                                                                           : "quantised to " + range_text(n.input.range));
  std::cout << fmt::format("\n{:10} {:24} {:14} {:14} {:>10} {:>7} {:>16} {:>10} {:>8}\n", "layer", "node", "in", "out", "weights", "zero",
                           "sums", "codes", "constant");
  json["layers"] = Json::array();
  uint64_t weights = 0;
  for (size_t l = 0; l < n.layers.size(); ++l) {
    if (const auto* p = std::get_if<NetworkPool>(&n.layers[l])) {
      std::cout << fmt::format("{:10} {:24} {:14} {:14} {:>10}\n", layer_name(l), p->name, map_text(p->in), map_text(p->out), "pool");
      json["layers"].push_back(
          {{"layer", layer_name(l)}, {"node", p->name}, {"kind", "pool"}, {"in", map_text(p->in)}, {"out", map_text(p->out)}});
      continue;
    }
    const auto& m = std::get<NetworkMatrix>(n.layers[l]);
    const Json j = matrix_json(n, l, m);
    weights += m.weights.size();
    std::cout << fmt::format("{:10} {:24} {:14} {:14} {:>10} {:>5.1f} % {:>16} {:>10} {:>8}\n", layer_name(l), m.name, map_text(m.in),
                             map_text(m.out), fmt::format("{} .. {}", j["weights"][0].get<int>(), j["weights"][1].get<int>()),
                             100.0 * j["zero_weights"].get<double>() / static_cast<double>(std::max<size_t>(1, m.weights.size())),
                             fmt::format("{} .. {}", j["sums"][0].get<int64_t>(), j["sums"][1].get<int64_t>()),
                             m.thresholds ? range_text(m.thresholds->range) : "scores",
                             m.thresholds ? fmt::format("{}", j["constant_channels"].get<size_t>()) : "");
    json["layers"].push_back(j);
  }
  json["weights"] = weights;
  std::cout << fmt::format("{} weights; every threshold was proved by testing all sums that its channel can have\n", weights);
  std::cout << (n.decision == Decision::kCodes ? "answer: the codes of the last quantiser\n"
                                               : "answer: the largest score, the first of several\n");
  json["answer"] = n.decision == Decision::kCodes ? "codes" : "largest";
  json["notes"] = n.notes;
  for (const std::string& note : n.notes) std::cout << "note: " << note << "\n";
}

}  // namespace

void add_network_options(CLI::App& command, NetworkOptions& options, bool output) {
  command.add_option("--input", options.input, "ONNX files: a .npy file of samples, the floats that the graph reads: [samples, ..]");
  if (output)
    command.add_option("--output", options.output, "ONNX files: write the integer scores into this .npy file: [samples, outputs]");
  command.add_option(
      "--input-grid", options.grid,
      "ONNX files whose input no quantiser reads: FIRST:STEP:POINTS, the values that it takes; without it those of --input say it");
}

void refuse_network_options(const NetworkOptions& o) {
  const char* option = !o.input.empty() ? "--input" : !o.output.empty() ? "--output" : !o.grid.empty() ? "--input-grid" : nullptr;
  if (option != nullptr) throw Error(option, "only networks of ONNX files read arrays", "leave it out");
}

void run_network_model(const NetworkCommand& o) {
  constexpr size_t kMostShown = 10;
  const engines::Engine& engine = network_engine(o.engine);
  if (o.options.input.empty()) throw Error("--input", "a network runs on samples", "give a .npy file, as numpy.save writes it");
  std::optional<OutputFile> file;
  if (!o.options.output.empty()) file.emplace(o.options.output);
  Progress progress;
  const engines::OpenNetwork open = engines::open_network(o.model, open_params_of(o));
  const engines::NetworkRunner runner = engine.of_network(open.network, run_params(o, progress));
  Stopwatch watch;
  const auto scores = runner.run(engines::codes_of(open.network, open.samples), nullptr);
  const double seconds = watch.lap();
  progress.clear();
  std::vector<int64_t> flat;
  Json answers = Json::array();
  for (size_t s = 0; s < scores.size(); ++s) {
    flat.insert(flat.end(), scores[s].begin(), scores[s].end());
    const std::vector<int64_t> a = answer(open.network, scores[s]);
    if (open.network.decision == Decision::kLargest)
      answers.push_back(a[0]);
    else
      answers.push_back(a);
    if (s < kMostShown) std::cout << fmt::format("sample {}: answer {}, scores {}\n", s, list_of(a), list_of(scores[s]));
  }
  if (scores.size() > kMostShown) std::cout << fmt::format("... {} samples in all\n", scores.size());
  const engines::EngineStats stats = runner.stats();
  if (engine.on_grid)
    std::cout << fmt::format("{} cycles on the grid, {:.3g} cell updates\n", stats.cycles, static_cast<double>(stats.cell_updates));
  if (file) {
    file->write(frontend::npy_bytes({scores.size(), scores[0].size()}, flat));
    file->finish();
    std::cout << "scores written to " << o.options.output << "\n";
  }
  write_json(o.common, {{"engine", engine.name},
                        {"samples", scores.size()},
                        {"answers", answers},
                        {"scores", scores},
                        {"grid_cycles", stats.cycles},
                        {"cell_updates", stats.cell_updates},
                        {"seed", o.common.seed},
                        {"seconds", seconds}});
}

int check_network_model(const NetworkCommand& o) {
  Progress progress;
  check::NetworkCheckParams params;
  params.engines = engines::find_engines(o.engine.empty() ? "cpu,dag,grid" : o.engine);
  for (const engines::Engine* e : params.engines) network_engine(e->name);
  params.run = run_params(o, progress);
  const engines::OpenNetwork open = engines::open_network(o.model, open_params_of(o));
  Stopwatch watch;
  const check::NetworkCheckReport report = check::check_network(open, params);
  progress.clear();
  uint64_t compared = 0, mismatches = 0;
  Json json = {{"model", open.network.name}, {"samples", report.samples}, {"engines", Json::object()}};
  if (const auto& g = report.graph) {
    std::cout << fmt::format(
        "graph  {:>10} outputs compared with its own arithmetic in double: largest difference {:.1e}, {} other answers\n", g->compared,
        g->largest, g->other_answers);
    json["graph"] = {{"compared", g->compared}, {"largest_difference", g->largest}, {"other_answers", g->other_answers}};
  }
  for (const check::NetworkEngineCheck& e : report.engines) {
    std::cout << fmt::format("{:6} {:>10} values compared, {} mismatches\n", e.engine, e.compared, e.mismatches);
    json["engines"][e.engine] = {{"compared", e.compared}, {"mismatches", e.mismatches}};
    compared += e.compared;
    mismatches += e.mismatches;
  }
  json["first_mismatch"] = nullptr;
  if (const auto& m = report.first) {
    std::cout << fmt::format("first mismatch: engine {}, sample {}, {} [{}]: expected {}, got {}\n", m->engine, m->sample, m->name,
                             m->index, m->expected, m->got);
    json["first_mismatch"] = {{"engine", m->engine}, {"sample", m->sample},     {"name", m->name},
                              {"index", m->index},   {"expected", m->expected}, {"got", m->got}};
  }
  std::cout << fmt::format("{} mismatches in {} values of {} samples\n", mismatches, compared, report.samples);
  json["seed"] = o.common.seed;
  json["seconds"] = watch.lap();
  write_json(o.common, json);
  return report.ok() ? 0 : 1;
}

void inspect_network_model(const NetworkCommand& o) {
  const frontend::onnx::Graph graph = frontend::onnx::read_graph(o.model);
  frontend::onnx::NetworkParams params;
  params.threads = o.threads;
  const frontend::onnx::NetworkReading reading = frontend::onnx::read_network(graph, params);
  Json json = {{"format", "onnx"},
               {"producer", graph.producer},
               {"opset", graph.opset},
               {"nodes", graph.nodes.size()},
               {"runs", reading.problems.empty()},
               {"open_grid", reading.open_grid},
               {"problems", Json::array()}};
  std::cout << fmt::format("{}: ONNX of {}, opset {}, {} nodes\n", o.model, graph.producer.empty() ? "an unnamed program" : graph.producer,
                           graph.opset, graph.nodes.size());
  if (reading.network) print_layers(*reading.network, json);
  for (const frontend::onnx::NodeProblem& p : reading.problems) {
    std::cout << fmt::format("not converted: {}\n    {}; expected {}\n    {}\n", frontend::onnx::place_of(p), p.found, p.expected, p.cure);
    json["problems"].push_back(
        {{"node", p.node}, {"operator", p.op}, {"where", p.where}, {"found", p.found}, {"expected", p.expected}, {"cure", p.cure}});
  }
  if (!reading.problems.empty())
    std::cout << fmt::format("does not run: {} of {} nodes cannot be converted\n", reading.problems.size(), graph.nodes.size());
  else if (reading.open_grid)
    std::cout << "runs, with --input-grid, or with --input whose values say what the input takes: no quantiser reads it\n";
  else
    std::cout << "runs\n";
  write_json(o.common, json);
}

}  // namespace bitgrid::cli
