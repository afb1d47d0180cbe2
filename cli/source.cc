#include "cli/source.h"

#include <filesystem>

#include "cli/common.h"
#include "frontend/blif.h"
#include "frontend/load_model.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/cover_dag.h"

namespace bitgrid::cli {
namespace {

/// A Dag as the only kernel of a program; every port is one word of bits, drawn bit by bit when verified.
Kernel kernel_of(Dag dag) {
  Kernel kernel;
  kernel.name = dag.name;
  for (const NodeId id : dag.inputs) kernel.inputs.push_back({static_cast<int>(dag.node(id).width), 1, {1}});
  for (const NodeId id : dag.outputs) kernel.outputs.push_back({static_cast<int>(dag.node(id).width), 1, {}});
  kernel.dag = std::move(dag);
  return kernel;
}

}  // namespace

Source read_source(const std::string& path) {
  Source source;
  const SourceKind kind = source_kind(path);
  if (kind == SourceKind::kModel) {
    const Model model = load_model(path);
    source.lowered = lower(model);
    source.hash = model.content_hash;
    source.is_model = true;
    return source;
  }
  const std::string text = read_file(path);
  source.hash = fnv1a(text);
  if (kind == SourceKind::kBlif) source.blif = text;
  Dag dag = kind == SourceKind::kDag ? parse_dag(text, path) : dag_from_cover(parse_blif(text, path));
  verify(dag);
  source.lowered.program.name = std::filesystem::path(path).stem().string();
  source.lowered.program.kernels.push_back(kernel_of(std::move(dag)));
  source.lowered.forms.emplace_back();
  return source;
}

}  // namespace bitgrid::cli
