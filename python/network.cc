// bitgrid.Network: quantised networks of ONNX files.
#include "python/network.h"

#include <fmt/format.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <map>

#include "check/against_network.h"
#include "check/check_network.h"
#include "engines/network_source.h"
#include "estimate/estimate_source.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/index.h"
#include "lowering/networks/lower_network.h"
#include "python/against.h"
#include "python/arrays.h"
#include "python/compiled.h"
#include "python/define.h"
#include "python/estimates.h"
#include "python/results.h"

namespace bitgrid::python {
namespace {

using Rows = std::vector<std::vector<int64_t>>;

/// A network and samples for it.
engines::OpenNetwork opened(const NetworkObject& n, const py::object& x) {
  const frontend::NpyArray array = numbers_of(x, "x");
  engines::OpenNetwork open{*n.graph, n.network ? *n.network : engines::network_of(*n.graph, n.path, "", &array, 1), {}};
  open.samples = engines::samples_of(array, open.network, "x");
  return open;
}

/// The integers alone. Throws Error where the input's values would have to say more.
std::shared_ptr<const IntegerNetwork> settled(const NetworkObject& n) {
  if (n.network) return n.network;
  return std::make_shared<const IntegerNetwork>(engines::network_of(*n.graph, n.path, n.input_grid, nullptr, 1));
}

const engines::Engine& network_engine(const std::string& name) {
  const engines::Engine& engine = engines::find_engine(name);
  engines::require_network(engine, "--engine");
  return engine;
}

engines::NetworkRunParams run_params(uint64_t seed, const engines::Say& say) {
  engines::NetworkRunParams params;
  params.seed = seed;
  params.latch_seed = seed;
  params.progress = params.step_progress = say;
  return params;
}

/// Values by name of every sample.
using Traced = std::map<std::string, Rows>;

py::dict traced_arrays(const Traced& traced) {
  py::dict arrays;
  for (const auto& [name, rows] : traced) arrays[name.c_str()] = array_of(rows);
  return arrays;
}

/// Runs an engine; `traced`, if given, gets every value.
Rows run_samples(const engines::OpenNetwork& open, const engines::Engine& engine, const engines::NetworkRunParams& params,
                 const engines::Say& say, Traced* traced) {
  const engines::NetworkRunner runner = engine.of_network(open.network, params);
  size_t last = SIZE_MAX;
  return runner.run(engines::codes_of(open.network, open.samples),
                    [&](size_t sample, const std::string& name, std::span<const int64_t> values) {
                      if (sample != last) say(fmt::format("sample {} of {}", sample + 1, open.samples.size()));
                      last = sample;
                      if (traced != nullptr) (*traced)[name].emplace_back(values.begin(), values.end());
                    });
}

py::array_t<int64_t> run_network(const NetworkObject& n, const py::object& x, const std::string& engine, uint64_t seed,
                                 const py::object& progress) {
  const engines::Engine& chosen = network_engine(engine);
  const engines::OpenNetwork open = opened(n, x);
  return array_of(
      long_result(progress, [&](const engines::Say& say) { return run_samples(open, chosen, run_params(seed, say), say, nullptr); }));
}

py::dict trace_network(const NetworkObject& n, const py::object& x, const std::string& engine, uint64_t seed, const py::object& progress) {
  const engines::Engine& chosen = network_engine(engine);
  const engines::OpenNetwork open = opened(n, x);
  return traced_arrays(long_result(progress, [&](const engines::Say& say) {
    Traced traced;
    run_samples(open, chosen, run_params(seed, say), say, &traced);
    return traced;
  }));
}

CheckResult check_result(const check::NetworkCheckReport& report) {
  CheckResult result;
  for (const check::NetworkEngineCheck& e : report.engines) result.engines.push_back({e.engine, e.compared, e.mismatches});
  if (const auto& m = report.first) result.first = FirstMismatch{m->engine, m->sample, m->name, m->index, m->expected, m->got};
  if (const auto& g = report.graph) result.engines.push_back({"graph", g->compared, g->other_answers + (g->largest > 1e-9 ? 1 : 0)});
  return result;
}

engines::OpenNetwork opened_or_made(const NetworkObject& n, const py::object& x, int samples, uint64_t seed) {
  if (!x.is_none()) return opened(n, x);
  engines::OpenNetwork open{*n.graph, *settled(n), {}};
  open.samples = engines::made_samples(open.network, samples, seed);
  return open;
}

CheckResult check_with(const engines::OpenNetwork& open, const std::vector<std::string>& names, const py::object& progress,
                       const std::function<void(engines::NetworkRunParams&)>& with, uint64_t seed) {
  check::NetworkCheckParams params;
  for (const std::string& name : names) params.engines.push_back(&network_engine(name));
  return long_result(progress, [&](const engines::Say& say) {
    params.run = run_params(seed, say);
    with(params.run);
    return check_result(check::check_network(open, params));
  });
}

CheckResult check_network_object(const NetworkObject& n, const py::object& x, const std::vector<std::string>& names, int samples,
                                 uint64_t seed, const py::object& progress) {
  return check_with(
      opened_or_made(n, x, samples, seed), names, progress, [](engines::NetworkRunParams&) {}, seed);
}

/// A network on the grid.
struct CompiledNetwork : Compiled {
  NetworkObject source;

  void use(engines::NetworkRunParams& params) const {
    params.tile = read.lower.tile;
    params.optimize = read.lower.optimize;
    params.defects = read.lower.defects;
    params.mapped = [kernels = mapped] { return *kernels; };
  }
};

CompiledNetwork compile_network(const NetworkObject& n, const CompileOptions& options) {
  CompiledNetwork c;
  c.source = n;
  c.source.network = settled(n);
  c.options = options;
  c.read = options.read();
  c.source_hash = fnv1a(n.input_grid, n.hash);
  c.is_model = true;
  c.program = std::make_shared<const Program>(networks::lower_network(*c.source.network, c.read.lower).program);
  c.mapped = std::make_shared<const std::vector<MappedKernel>>(
      long_result(options.progress, [&](const engines::Say& say) { return map_program(*c.program, c.options, c.read, say); }));
  return c;
}

py::array_t<int64_t> run_compiled_network(const CompiledNetwork& c, const py::object& x, const std::string& engine,
                                          const py::object& progress) {
  const engines::Engine& chosen = network_engine(engine);
  const engines::OpenNetwork open = opened(c.source, x);
  return array_of(long_result(progress, [&](const engines::Say& say) {
    engines::NetworkRunParams params = run_params(c.options.seed, say);
    c.use(params);
    return run_samples(open, chosen, params, say, nullptr);
  }));
}

CheckResult check_compiled_network(const CompiledNetwork& c, const py::object& x, const std::vector<std::string>& names, int samples,
                                   const py::object& progress) {
  return check_with(
      opened_or_made(c.source, x, samples, c.options.seed), names, progress, [&](auto& params) { c.use(params); }, c.options.seed);
}

EstimateResult estimate_network(const NetworkObject& n, const EstimateArguments& arguments) {
  const EstimateArguments::Read read = arguments.read();
  const auto network = settled(n);
  return long_result(arguments.progress, [&](const engines::Say& say) {
    say("sizes of the kernels");
    estimate::EstimateSource of;
    of.lower = read.lower;
    return estimate_result(estimate::read_kernels({n.path, "", std::nullopt, *network}, of).kernels, read.params);
  });
}

check::AgainstReport against_network(const NetworkObject& n, const py::object& x, const py::object& arrays, const py::object& progress) {
  const engines::OpenNetwork open = opened(n, x);
  py::dict named;
  if (py::isinstance<py::dict>(arrays))
    named = arrays.cast<py::dict>();
  else
    named["scores"] = arrays;
  return compare_with(
      named, [&] { return check::exact_arrays(open); }, open.samples.size(), progress);
}

py::object answers_of(const NetworkObject& n, const py::object& scores) {
  const auto network = settled(n);
  const size_t outputs = network->shift.size();
  const std::vector<int64_t> flat = whole_numbers_of(scores, "scores");
  if (flat.empty() || flat.size() % outputs != 0)
    throw Error("scores", fmt::format("{} numbers are not scores of {} outputs", flat.size(), outputs), "give what run() returned");
  Rows rows;
  for (size_t at = 0; at < flat.size(); at += outputs) rows.push_back(answer(*network, std::span(flat).subspan(at, outputs)));
  const py::array_t<int64_t> array = array_of(rows);
  if (network->decision == Decision::kLargest) return array.attr("ravel")();
  return array;
}

py::tuple shape_of(const FeatureMap& map) {
  return py::make_tuple(map.channels, map.height, map.width);
}

py::list layers_of(const NetworkObject& n) {
  const auto network = settled(n);
  py::list layers;
  for (size_t l = 0; l < network->layers.size(); ++l) {
    py::dict layer;
    layer["layer"] = layer_name(l);
    std::visit(
        [&](const auto& part) {
          layer["node"] = part.name;
          layer["in"] = shape_of(part.in);
          layer["out"] = shape_of(part.out);
        },
        network->layers[l]);
    const auto* matrix = std::get_if<NetworkMatrix>(&network->layers[l]);
    layer["kind"] = matrix != nullptr ? "matrix" : "pool";
    layer["weights"] = matrix != nullptr ? matrix->weights.size() : size_t{0};
    layers.append(layer);
  }
  return layers;
}

}  // namespace

NetworkObject load_network(const std::string& path, const std::string& input_grid) {
  const std::string bytes = read_file(path);
  NetworkObject n{path, input_grid, fnv1a(bytes), std::make_shared<const frontend::onnx::Graph>(frontend::onnx::parse_graph(bytes, path))};
  const bool open = input_grid.empty() && frontend::onnx::read_network(*n.graph).open_grid;
  if (!open) n.network = std::make_shared<const IntegerNetwork>(engines::network_of(*n.graph, path, input_grid, nullptr, 1));
  return n;
}

void define_network(py::module_& m) {
  const char* x_text =
      "x: the floats that the graph reads, [batch, ...] in its own shape or flattened [batch, inputs]; one sample without a batch, too.\n";
  const std::string run_text =
      std::string("Runs samples and returns their integer scores, int64 [batch, outputs].\n\n") + x_text +
      "engine: \"cpu\", the definition, or \"dag\", \"grid\", \"rtl\", \"fabric\". progress: True, or a function that is told lines.";
  const std::string trace_text = std::string(
                                     "Runs samples and returns all values: a dict of int64 [batch, elements] by name (\"input\",\n"
                                     "\"layers.0.sums\", \"layers.0\", .. \"scores\"), elements in the order of ONNX.\n\n") +
                                 x_text;
  const std::string check_text =
      std::string("Compares engines with the definition value by value, and with the graph in double; returns a Check.\n\n") + x_text +
      "Without x, `samples` of them are made from `seed`.";
  py::class_<NetworkObject> network(m, "Network", "A quantised network of an ONNX file, as integers (docs/onnx.md).");
  network.def_property_readonly("name", [](const NetworkObject& n) { return n.graph->name; })
      .def_property_readonly(
          "input_shape", [](const NetworkObject& n) { return shape_of(settled(n)->input.shape); },
          "Of a sample: (channels, height, width).")
      .def_property_readonly(
          "outputs", [](const NetworkObject& n) { return settled(n)->shift.size(); }, "Scores of a sample.")
      .def_property_readonly("layers", layers_of, "A dict for each layer: layer, node, in, out, kind, weights; pandas reads the list.")
      .def_property_readonly(
          "notes", [](const NetworkObject& n) { return settled(n)->notes; }, "What was dropped or assumed.")
      .def_property_readonly(
          "gain", [](const NetworkObject& n) { return py::array_t<double>(py::cast(settled(n)->gain)); },
          "The graph's output is scores * gain + offset: float64 [outputs].")
      .def_property_readonly(
          "offset", [](const NetworkObject& n) { return py::array_t<double>(py::cast(settled(n)->offset)); }, "See gain.")
      .def(
          "samples",
          [](const NetworkObject& n, int count, uint64_t seed) {
            const auto made = engines::made_samples(*settled(n), count, seed);
            py::array_t<double> array({made.size(), made.empty() ? size_t{0} : made[0].size()});
            double* at = array.mutable_data();
            for (const std::vector<double>& sample : made) at = std::copy(sample.begin(), sample.end(), at);
            return array;
          },
          py::arg("count") = 64, py::arg("seed") = 1, "Samples that reach all codes of the input: float64 [count, inputs].")
      .def("run", run_network, py::arg("x"), py::kw_only(), py::arg("engine") = "cpu", py::arg("seed") = 1,
           py::arg("progress") = py::none(), run_text.c_str())
      .def("trace", trace_network, py::arg("x"), py::kw_only(), py::arg("engine") = "cpu", py::arg("seed") = 1,
           py::arg("progress") = py::none(), trace_text.c_str())
      .def(
          "answers", answers_of, py::arg("scores"),
          "What the network answers: the index of the largest score, int64 [batch]; of a last quantiser its codes, int64 [batch, outputs].")
      .def("check", check_network_object, py::arg("x") = py::none(), py::kw_only(),
           py::arg("engines") = std::vector<std::string>{"cpu", "dag", "grid"}, py::arg("samples") = 64, py::arg("seed") = 1,
           py::arg("progress") = py::none(), check_text.c_str())
      .def("__repr__", [](const NetworkObject& n) {
        return fmt::format("<bitgrid.Network {}: {} nodes>", n.graph->name.empty() ? n.path : n.graph->name, n.graph->nodes.size());
      });
  static const std::string against_doc =
      std::string("Compares arrays of your own kernel with the exact integers of engine cpu, layer by layer.\n\n") + x_text +
      "arrays: your scores, or a dict of arrays [batch, ...] by the names that trace() has, or those of the graph's nodes.\n" +
      kAgainstText;
  network.def("against", against_network, py::arg("x"), py::arg("arrays"), py::kw_only(), py::arg("progress") = py::none(),
              against_doc.c_str());
  define_estimate_of(network, "Size, speed and cost before anything is mapped; returns an Estimate, in which a token is a sample.",
                     estimate_network);
  define_compile(network, "Maps the network onto the grid and returns a CompiledNetwork.", compile_network);

  py::class_<CompiledNetwork, Compiled>(m, "CompiledNetwork", "A network on the grid.")
      .def("run", run_compiled_network, py::arg("x"), py::kw_only(), py::arg("engine") = "grid", py::arg("progress") = py::none(),
           "Runs samples on its kernels, as Network.run(): integer scores, int64 [batch, outputs].")
      .def("check", check_compiled_network, py::arg("x") = py::none(), py::kw_only(),
           py::arg("engines") = std::vector<std::string>{"dag", "grid"}, py::arg("samples") = 64, py::arg("progress") = py::none(),
           "As Network.check(), on its kernels.");
}

}  // namespace bitgrid::python
