#include "engines/kernel_source.h"

#include <filesystem>
#include <vector>

#include "frontend/blif.h"
#include "frontend/checkpoint/checkpoint.h"
#include "frontend/load_model.h"
#include "frontend/onnx/network.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/networks/lower_network.h"
#include "lowering/synthesis/sop_to_dag.h"

namespace bitgrid::engines {

SourceKind source_kind(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".yaml" || extension == ".yml") return SourceKind::kModel;
  if (extension == ".onnx") return SourceKind::kNetwork;
  if (extension == ".blif") return SourceKind::kBlif;
  if (extension == ".dag") return SourceKind::kDag;
  if (frontend::is_checkpoint(path)) return SourceKind::kModel;  // its reader says what runs it
  throw Error(path, "this is neither a model, a netlist nor a kernel", "give a .yaml, .onnx, .blif or .dag file");
}

Model read_model(const std::string& path, const std::function<void(const std::string&)>& warn) {
  std::vector<std::string> warnings;
  Model model = frontend::load_model(path, &warnings);
  for (const std::string& warning : warnings) warn(warning);
  return model;
}

Program program_of(Dag dag, const std::string& name) {
  verify(dag);
  Program program;
  program.name = name;
  program.kernels.push_back(synthesis::kernel_of(std::move(dag)));
  return program;
}

namespace {

KernelSource scaled_source(const std::string& path, const KernelSourceParams& params) {
  ScaledSource model(path, params.scaled.open);
  KernelSource source;
  source.program = scales::lower_scaled(model.integers(), params.scaled.cache,
                                        {params.lower, params.scaled.context, params.scaled.dataflow, params.scaled.open.threads});
  source.hash = hash_of_kernels(source.program);
  source.is_model = source.is_scaled = true;
  return source;
}

}  // namespace

uint64_t hash_of_kernels(const Program& program) {
  uint64_t hash = 0;
  for (const Kernel& kernel : program.kernels) hash = fnv1a(print(kernel.dag), hash);
  return hash;
}

KernelSource read_source(const std::string& path, const KernelSourceParams& params) {
  if (is_scaled_model(path)) return scaled_source(path, params);
  KernelSource source;
  const SourceKind kind = source_kind(path);
  if (kind == SourceKind::kModel) {
    const Model model = read_model(path, params.warn);
    source.program = numerics::lower(model, params.lower);
    source.hash = model.content_hash;
    source.is_model = true;
    return source;
  }
  const std::string& grid = params.input_grid;
  if (kind == SourceKind::kNetwork) {
    const std::string bytes = read_file(path);
    frontend::onnx::NetworkParams reading;
    if (!grid.empty()) reading.grid = frontend::onnx::parse_input_grid(grid);
    source.program =
        networks::lower_network(frontend::onnx::convert(frontend::onnx::parse_graph(bytes, path), path, reading), params.lower).program;
    source.hash = fnv1a(grid, fnv1a(bytes));
    source.is_model = true;
    return source;
  }
  if (!grid.empty()) throw Error("--input-grid", "only networks of ONNX files have such an input", "leave it out");
  const std::string text = read_file(path);
  source.hash = fnv1a(text);
  if (kind == SourceKind::kBlif && frontend::is_plain_blif(text)) source.blif = text;
  source.program =
      program_of(kind == SourceKind::kDag ? parse_dag(text, path) : synthesis::dag_from_cover(frontend::parse_blif(text, path)),
                 std::filesystem::path(path).stem().string());
  return source;
}

}  // namespace bitgrid::engines
