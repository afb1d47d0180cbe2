#include "estimate/estimate_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <random>

#include "estimate/shape_model.h"
#include "frontend/checkpoint/checkpoint.h"
#include "frontend/load_model.h"
#include "frontend/onnx/network.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/networks/lower_network.h"

namespace bitgrid::estimate {
namespace {

int context_of(const ShapeModel& model) {
  int context = 0;
  for (const LayerShape& layer : model.layers) {
    if (const auto* a = std::get_if<AttentionShape>(&layer)) context = std::max(context, a->window);
  }
  return context;
}

bool fits(const KernelFigures& k, const mapping::Tile& tile) {
  return (tile.width == 0 || k.width <= tile.width) && (tile.height == 0 || k.height <= tile.height);
}

SourceKernels from_shapes(const std::string& path, const ShapeModel& model, const EstimateSource& source, ShapePlans& plans) {
  if (source.defect_rate > 0)
    throw Error(path, "defects need weights: rows go around bad cells where their weights are 0", "give a model with weights");
  SourceKernels out{model.name, false, context_of(model), model.assumptions, shape_kernels(model, plans)};
  const mapping::Tile& tile = source.lower.tile;
  const auto larger = std::find_if(out.kernels.begin(), out.kernels.end(), [&](const KernelFigures& k) { return !fits(k, tile); });
  if (larger != out.kernels.end())
    out.assumptions.push_back(fmt::format("kernels larger than a tile ({}: {} x {} cells) spread over several; compile does not cut them",
                                          larger->name, larger->width, larger->height));
  if (tile.bounded() && source.lower.optimize != mapping::Optimize::kArea)
    out.assumptions.push_back("layers that are cut stay word-serial");
  out.assumptions.push_back("word lengths for the worst weights that the shapes allow");
  if (std::any_of(out.kernels.begin(), out.kernels.end(), [](const KernelFigures& k) { return k.modelled; }))
    out.assumptions.push_back("kernels marked modelled: sizes of their stamps; compile does not make them yet");
  return out;
}

/// As require_fit of the mapper has it.
void require_fit(const std::vector<KernelFigures>& kernels, const mapping::Tile& tile) {
  for (const KernelFigures& k : kernels) {
    if (fits(k, tile)) continue;
    throw Error("kernel " + k.name,
                fmt::format("{} x {} cells do not fit a tile of {} x {}, and this kernel is not cut", k.width, k.height,
                            tile.width ? std::to_string(tile.width) : "any", tile.height ? std::to_string(tile.height) : "any"),
                "give a larger tile in the architecture file");
  }
}

/// Of a tile as large as the architecture says, or with twice the largest kernel's width and height.
Defects defects_of(const std::vector<KernelFigures>& flawless, const EstimateSource& source) {
  int width = source.lower.tile.width, height = source.lower.tile.height;
  for (const KernelFigures& k : flawless) {
    if (source.lower.tile.width == 0) width = std::max(width, 2 * k.width);
    if (source.lower.tile.height == 0) height = std::max(height, 2 * k.height);
  }
  std::mt19937_64 random(source.seed);
  return random_defects(width, height, source.defect_rate, 0, random);
}

/// Of what `lower` gives.
std::vector<KernelFigures> exact_kernels(const std::function<Program(const numerics::LowerParams&)>& lower, const EstimateSource& source) {
  const Program program = lower(source.lower);
  mapping::MapParams params;
  params.optimize = source.lower.optimize;
  std::vector<KernelFigures> kernels = lowered_kernels(program, params);
  if (source.defect_rate > 0) {
    params.defects = defects_of(kernels, source);
    numerics::LowerParams among = source.lower;
    among.defects = params.defects;
    kernels = lowered_kernels(lower(among), params);
  }
  require_fit(kernels, source.lower.tile);
  return kernels;
}

}  // namespace

EstimateModel read_estimate_model(const std::string& path, const std::string& input_grid) {
  constexpr size_t kMaxYaml = 1 << 20;
  if (frontend::onnx::is_onnx(path)) {
    EstimateModel read{path, ""};
    frontend::onnx::NetworkParams params;
    if (!input_grid.empty()) params.grid = frontend::onnx::parse_input_grid(input_grid);
    const std::string bytes = read_file(path);
    read.network = frontend::onnx::convert(frontend::onnx::parse_graph(bytes, path), path, params);
    read.hash = fnv1a(input_grid, fnv1a(bytes));
    return read;
  }
  if (!input_grid.empty()) throw Error("--input-grid", "only networks of ONNX files have such an input", "leave it out");
  if (frontend::is_checkpoint(path)) frontend::load_model(path);  // says what runs it
  EstimateModel read{path, read_file(path, kMaxYaml)};
  if (is_shapes_text(read.yaml, path)) {
    read.hash = fnv1a(read.yaml);
    return read;
  }
  read.model = frontend::load_model(path, &read.warnings);
  read.hash = read.model->content_hash;
  return read;
}

SourceKernels read_kernels(const EstimateModel& read, const EstimateSource& source, ShapePlans* plans) {
  ShapePlans own(source.lower);
  if (!plans) plans = &own;
  if (read.network) {
    if (source.shapes_only || source.context > 0 || !source.overrides.empty())
      throw Error(read.path, "a network has no shapes to change, and no attention", "leave --shapes-only and --context out");
    const auto lower = [&](const numerics::LowerParams& params) { return networks::lower_network(*read.network, params).program; };
    return {read.network->name, true, 0, {}, exact_kernels(lower, source)};
  }
  if (!read.model) return from_shapes(read.path, parse_shapes(read.yaml, read.path, source.context, source.overrides), source, *plans);
  if (!source.overrides.empty())
    throw Error(read.path, "`" + source.overrides[0].first + "` of a model with weights cannot be changed",
                "sweep a shapes file (examples/shapes)");
  ShapeModel shapes = shapes_of(*read.model);
  if (source.shapes_only || source.context > 0) {
    if (source.context > 0) set_context(shapes, source.context);
    SourceKernels kernels = from_shapes(read.path, shapes, source, *plans);
    kernels.warnings = read.warnings;
    return kernels;
  }
  const auto lower = [&](const numerics::LowerParams& params) { return numerics::lower(*read.model, params); };
  return {read.model->name, true, context_of(shapes), {}, exact_kernels(lower, source), read.warnings};
}

}  // namespace bitgrid::estimate
