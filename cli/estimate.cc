// bitgrid estimate: size, speed and cost of a model, before anything slow.
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/numbers.h"
#include "cli/source.h"
#include "estimate/estimate.h"
#include "estimate/estimate_source.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::cli {
namespace {

struct EstimateOptions {
  Common common;
  estimate::EstimateSource source;
  std::string model, arch, technology, optimize = "area", grid;
  std::optional<int> context;
  int64_t streams = 1;
};

/// Cells and cycles of attention at contexts around the one in question.
Json attention_by_context(const estimate::EstimateModel& model, const estimate::EstimateSource& of, const estimate::EstimateParams& params,
                          int context, estimate::ShapePlans& plans) {
  Json rows = Json::array();
  for (int64_t t = std::max(16, context / 8); t <= std::min<int64_t>(int64_t{context} * 8, 1 << 17); t *= 2) {
    estimate::EstimateSource source = of;
    source.context = static_cast<int>(t);
    source.shapes_only = true;
    const estimate::Estimate e = estimate::estimate(estimate::read_kernels(model, source, &plans).kernels, params);
    rows.push_back({{"context", t},
                    {"attention_cells_per_stream", e.resident_cells},
                    {"cycles_per_token", e.cycles_per_token},
                    {"tokens_per_second_per_stream", e.tokens_per_second_per_stream}});
  }
  return rows;
}

void run_estimate(const EstimateOptions& o) {
  Stopwatch watch;
  estimate::EstimateParams params = estimate::load_estimate_params(o.arch, o.technology);
  params.streams = o.streams;
  estimate::EstimateSource of = o.source;
  of.context = o.context.value_or(0);
  of.lower = {{params.arch.tile_width, params.arch.tile_height}, mapping::parse_optimize(o.optimize)};
  estimate::ShapePlans plans(of.lower);
  const estimate::EstimateModel model = estimate::read_estimate_model(o.model, o.grid);
  const estimate::SourceKernels source = estimate::read_kernels(model, of, &plans);
  for (const std::string& warning : source.warnings) say_error("warning: " + warning);
  const estimate::Estimate e = estimate::estimate(source.kernels, params);
  const Json contexts = source.context > 0 ? attention_by_context(model, of, params, source.context, plans) : Json::array();
  const double seconds = watch.lap();
  std::cout << estimate::estimate_text(e, params, model.network ? "inference" : "token");
  if (source.context > 0) {
    std::cout << fmt::format("{:>9} {:>22} {:>14} {:>20}\n", "context", "attention cells/stream", "cycles/token", "tokens/s per stream");
    for (const Json& row : contexts) {
      std::cout << fmt::format("{:>9} {:>22} {:>14} {:>20.5g}\n", row["context"].get<int64_t>(),
                               row["attention_cells_per_stream"].get<int64_t>(), row["cycles_per_token"].get<int64_t>(),
                               row["tokens_per_second_per_stream"].get<double>());
    }
  }
  for (const std::string& a : source.assumptions) std::cout << "assumes: " << a << "\n";
  std::cout << fmt::format("estimated in {:.3f} s\n", seconds);
  if (o.common.json_file.empty()) return;
  Json json = {{"model", source.name}, {"exact", source.exact}, {"context", source.context}, {"optimize", o.optimize}};
  json.update(estimate::estimate_json(e, params));
  if (model.network) json["inferences_per_second"] = e.tokens_per_second;
  json["assumptions"] = source.assumptions;
  if (source.context > 0) json["attention_by_context"] = contexts;
  json["seconds"] = seconds;
  write_json(o.common, json);
}

}  // namespace

void define_estimate(CLI::App& command, int&) {
  auto o = std::make_shared<EstimateOptions>();
  command.add_option("model", o->model, "MODEL.yaml, NETWORK.onnx, or a shapes file without weights (examples/shapes)")->required();
  command.add_option("--input-grid", o->grid, kInputGridHelp);
  command.add_option("--arch", o->arch, "architecture file (arch/default.yaml documents it)");
  command.add_option("--optimize", o->optimize, "as for `bitgrid compile`: area, throughput or density, if a matrix has several forms")
      ->capture_default_str();
  command.add_option("--technology", o->technology, "costs and speed of cells and memory (arch/45nm.yaml documents it)");
  add_number<int>(command, "--context", o->context, {1, estimate::kMaxContext}, "attention window, instead of the model's");
  add_number<int64_t>(command, "--streams", o->streams, {1, estimate::kMaxStreams}, "independent texts in parallel");
  command.add_flag("--shapes-only", o->source.shapes_only, "ignore the weights: word lengths for the worst weights that the shapes allow");
  add_common(command, o->common);
  command.callback([o] { run_estimate(*o); });
}

}  // namespace bitgrid::cli
