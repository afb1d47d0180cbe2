#include "report/estimate_source.h"

#include <algorithm>

#include "frontend/load_model.h"
#include "frontend/yaml_reader.h"
#include "ir/error.h"
#include "ir/file.h"
#include "report/shape_model.h"

namespace bitgrid {
namespace {

int context_of(const ShapeModel& model) {
  int context = 0;
  for (const LayerShape& layer : model.layers) {
    if (const auto* a = std::get_if<AttentionShape>(&layer)) context = std::max(context, a->window);
  }
  return context;
}

SourceKernels from_shapes(const ShapeModel& model) {
  SourceKernels out{model.name, false, context_of(model), model.assumptions, shape_kernels(model)};
  out.assumptions.push_back("word lengths for the worst weights that the shapes allow");
  if (std::any_of(out.kernels.begin(), out.kernels.end(), [](const KernelFigures& k) { return k.modelled; }))
    out.assumptions.push_back("kernels marked modelled: sizes of their stamps; compile does not make them yet");
  return out;
}

}  // namespace

SourceKernels read_kernels(const EstimateSource& source) {
  constexpr size_t kMaxYaml = 1 << 20;
  const std::string yaml = read_file(source.path, kMaxYaml);
  if (is_shapes_text(yaml)) {
    if (source.overrides.empty()) return from_shapes(parse_shapes(yaml, source.path, source.context));
    YAML::Node node = parse_yaml(yaml, source.path);
    for (const auto& [key, value] : source.overrides) node[key] = value;
    return from_shapes(parse_shapes(YAML::Dump(node), source.path, source.context));
  }
  if (!source.overrides.empty())
    throw Error(source.path, "`" + source.overrides[0].first + "` of a model with weights cannot be changed",
                "sweep a shapes file (examples/shapes)");
  const Model model = load_model(source.path);
  ShapeModel shapes = shapes_of(model);
  if (source.shapes_only || source.context > 0) {
    if (source.context > 0) set_context(shapes, source.context);
    return from_shapes(shapes);
  }
  return {model.name, true, context_of(shapes), {}, lowered_kernels(lower(model))};
}

}  // namespace bitgrid
