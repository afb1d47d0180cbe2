// bitgrid.load: whatever a path names.
#include <pybind11/pybind11.h>

#include "engines/kernel_source.h"
#include "ir/error.h"
#include "python/dag.h"
#include "python/define.h"
#include "python/language_model.h"
#include "python/network.h"

namespace bitgrid::python {
namespace {

DagObject load_dag(const std::string& path) {
  engines::KernelSource source = engines::read_source(path);
  Dag& dag = source.program.kernels[0].dag;
  dag.name = source.program.name;
  const size_t nodes = dag.size();
  return {std::make_shared<Dag>(std::move(dag)), source.hash, nodes};
}

py::object load(const py::object& file, const std::string& input_grid, const LoadOptions& options) {
  const std::string path = py::str(py::module_::import("os").attr("fspath")(file));
  const engines::SourceKind kind = engines::source_kind(path);
  if (kind == engines::SourceKind::kNetwork) return py::cast(load_network(path, input_grid));
  if (!input_grid.empty()) throw Error("--input-grid", "only networks of ONNX files have such an input", "leave it out");
  if (kind == engines::SourceKind::kModel) return py::cast(load_language_model(path, options));
  return py::cast(load_dag(path));
}

}  // namespace

void define_load(py::module_& m) {
  m.def(
      "load",
      [](const py::object& path, const std::string& input_grid, int context, int threads) {
        return load(path, input_grid, {context, threads});
      },
      py::arg("path"), py::kw_only(), py::arg("input_grid") = "", py::arg("context") = 0, py::arg("threads") = 0,
      "Opens what a path names: .onnx gives a Network, .dag and .blif a Dag, model.yaml, a .gguf file or a Hugging Face folder a\n"
      "LanguageModel.\n\n"
      "input_grid: FIRST:STEP:POINTS, the values that a network's input takes where no quantiser reads it; without it those of the arrays\n"
      "that it runs on say so. context: positions of a model with scales, 0 for its own, 4096 at most. threads: of such a model, 0 for "
      "all.\n"
      "Raises Error: file, line or node, what is wrong, what to do.");
}

}  // namespace bitgrid::python
