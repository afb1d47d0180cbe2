#include "cli/source.h"

#include <filesystem>
#include <vector>

#include "cli/common.h"
#include "engines/open_model.h"
#include "frontend/blif.h"
#include "frontend/load_model.h"
#include "frontend/onnx/network.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/networks/lower_network.h"
#include "lowering/scales/lower_scaled.h"
#include "lowering/synthesis/sop_to_dag.h"

namespace bitgrid::cli {

Model read_model(const std::string& path) {
  std::vector<std::string> warnings;
  Model model = frontend::load_model(path, &warnings);
  for (const std::string& warning : warnings) say_error("warning: " + warning);
  return model;
}

namespace {

Source scaled_source(const std::string& path, const SourceParams& params) {
  Progress progress;
  engines::ScaledSource model(path, open_params(params.scales, progress));
  scales::LowerScaledParams lowering{params.lowering, params.scales.context, scales::parse_dataflow(params.scales.dataflow)};
  Source source;
  source.program = scales::lower_scaled(model.integers(), parse_cache_forms(params.scales.kv), lowering);
  for (const Kernel& kernel : source.program.kernels) source.hash = fnv1a(print(kernel.dag), source.hash);
  source.is_model = source.is_scaled = true;
  return source;
}

}  // namespace

Source read_source(const std::string& path, const SourceParams& params) {
  if (engines::is_scaled_model(path)) return scaled_source(path, params);
  refuse_model_options(params.scales);
  Source source;
  const std::string& grid = params.grid;
  const SourceKind kind = source_kind(path);
  if (kind == SourceKind::kModel) {
    const Model model = read_model(path);
    source.program = numerics::lower(model, params.lowering);
    source.hash = model.content_hash;
    source.is_model = true;
    return source;
  }
  if (kind == SourceKind::kNetwork) {
    const std::string bytes = read_file(path);
    frontend::onnx::NetworkParams reading;
    if (!grid.empty()) reading.grid = frontend::onnx::parse_input_grid(grid);
    source.program =
        networks::lower_network(frontend::onnx::convert(frontend::onnx::parse_graph(bytes, path), path, reading), params.lowering).program;
    source.hash = fnv1a(grid, fnv1a(bytes));
    source.is_model = true;
    return source;
  }
  if (!grid.empty()) throw Error("--input-grid", "only networks of ONNX files have such an input", "leave it out");
  const std::string text = read_file(path);
  source.hash = fnv1a(text);
  if (kind == SourceKind::kBlif && frontend::is_plain_blif(text)) source.blif = text;
  Dag dag = kind == SourceKind::kDag ? parse_dag(text, path) : synthesis::dag_from_cover(frontend::parse_blif(text, path));
  verify(dag);
  source.program.name = std::filesystem::path(path).stem().string();
  source.program.kernels.push_back(synthesis::kernel_of(std::move(dag)));
  return source;
}

}  // namespace bitgrid::cli
